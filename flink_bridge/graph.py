"""Builds the job in Flink and runs it."""

from __future__ import annotations

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_bridge.events_sql import insert, sink_table
from flink_bridge.flink_settings import flink_options
from flink_bridge.settings import BridgeSettings
from flink_bridge.socket_source import socket_lines


def build(settings: BridgeSettings) -> StreamExecutionEnvironment:
    """The environment with the whole job in it, not yet submitted."""
    configuration = Configuration()
    for name, value in flink_options(settings).items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    tables = StreamTableEnvironment.create(env)
    views = []
    for number, endpoint in enumerate(settings.endpoints):
        tables.create_temporary_view(
            f"lines_{number}", tables.from_data_stream(socket_lines(env, endpoint)).alias("line")
        )
        views.append((f"lines_{number}", endpoint))
    tables.execute_sql(sink_table(settings, settings.kafka.producer_properties()))
    statements = tables.create_statement_set()
    statements.add_insert_sql(insert(settings, views))
    statements.attach_as_datastream()
    return env


def run(settings: BridgeSettings) -> None:
    """Submit and wait until the job ends, or return at once under `flink run --detached`."""
    build(settings).execute(settings.name)
