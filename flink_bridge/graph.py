"""Builds the job in Flink and runs it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment
from pyflink.util.java_utils import get_field_value

from flink_bridge.endpoints import Endpoint
from flink_bridge.events_sql import LineView, insert, sink_table
from flink_bridge.flink_settings import flink_options
from flink_bridge.resume_lines import resume_lines
from flink_bridge.settings import BridgeSettings
from flink_bridge.shipping import write_bundle
from flink_bridge.socket_source import socket_lines


def build(settings: BridgeSettings, prefix: str) -> StreamExecutionEnvironment:
    """The environment with the whole job in it, not yet submitted; `prefix` as of preflight.class_prefix."""
    configuration = Configuration()
    for name, value in flink_options(settings).items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    tables = StreamTableEnvironment.create(env)
    read = _resume_view if settings.source == "resume" else _socket_view
    views = [
        read(env, tables, settings, number, endpoint) for number, endpoint in enumerate(settings.endpoints)
    ]
    tables.execute_sql(sink_table(settings, settings.kafka.producer_properties(prefix)))
    statements = tables.create_statement_set()
    statements.add_insert_sql(insert(settings, views))
    statements.attach_as_datastream()
    _name_sink(env)
    return env


def _name_sink(env: StreamExecutionEnvironment) -> None:
    """Give the sink a name and a uid of its own, so that its state is found again when the plan changes."""
    for transformation in get_field_value(env._j_stream_execution_environment, "transformations"):
        if transformation.getClass().getSimpleName() == "SinkTransformation":
            transformation.setName("Kafka")
            transformation.setUid("kafka sink")


def run(settings: BridgeSettings, prefix: str) -> None:
    """Submit and wait until the job ends, or return at once under `flink run --detached`."""
    with tempfile.TemporaryDirectory(prefix="win-event-bridge-") as folder:
        env = build(settings, prefix)
        if settings.source == "resume":
            bundle = Path(folder) / "win_event_bridge_worker.zip"
            write_bundle(bundle)
            env.add_python_file(str(bundle))
        env.execute(settings.name)


def _socket_view(
    env: StreamExecutionEnvironment,
    tables: StreamTableEnvironment,
    settings: BridgeSettings,
    number: int,
    endpoint: Endpoint,
) -> LineView:
    name = f"lines_{number}"
    # Without an alias: renaming the column would be a projection, and that copies every line.
    tables.create_temporary_view(name, tables.from_data_stream(socket_lines(env, endpoint)))
    return LineView(name, endpoint, text="f0", octets="ENCODE(f0, 'UTF-8')")


def _resume_view(
    env: StreamExecutionEnvironment,
    tables: StreamTableEnvironment,
    settings: BridgeSettings,
    number: int,
    endpoint: Endpoint,
) -> LineView:
    name = f"blocks_{number}"
    lines = resume_lines(env, tables, settings.reader(endpoint))
    tables.create_temporary_view(name, tables.from_data_stream(lines))
    return LineView(
        f"{name} CROSS JOIN UNNEST(f0) AS lines(line)", endpoint, text="DECODE(line, 'UTF-8')", octets="line"
    )
