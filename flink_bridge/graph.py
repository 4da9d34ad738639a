"""Builds the job in Flink and runs it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment
from pyflink.util.java_utils import get_field_value

from flink_bridge.flink_settings import flink_options
from flink_bridge.jvm.operators import line_bytes, sort_lines, whole_polls
from flink_bridge.kafka.sink_sql import SINK, sink_table
from flink_bridge.settings import BridgeSettings
from flink_bridge.sources.resume_blocks import resume_blocks
from flink_bridge.sources.shipping import write_bundle
from flink_bridge.sources.socket_source import socket_lines
from producer.endpoint import Endpoint


def environment(settings: BridgeSettings) -> tuple[StreamExecutionEnvironment, StreamTableEnvironment]:
    """An empty job with the bridge's settings of Flink."""
    configuration = Configuration()
    for name, value in flink_options(settings).items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    return env, StreamTableEnvironment.create(env)


def build(settings: BridgeSettings, prefix: str) -> StreamExecutionEnvironment:
    """The environment with the whole job in it, not yet submitted; `prefix` as of preflight.class_prefix."""
    env, tables = environment(settings)
    records = [
        sort_lines(_blocks(env, tables, settings, endpoint), settings, endpoint)
        for endpoint in settings.endpoints
    ]
    rows = tables.from_data_stream(records[0].union(*records[1:]) if records[1:] else records[0])
    tables.execute_sql(sink_table(settings, settings.kafka.producer_properties(prefix)))
    statements = tables.create_statement_set()
    statements.add_insert(SINK, rows)
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


def _blocks(
    env: StreamExecutionEnvironment,
    tables: StreamTableEnvironment,
    settings: BridgeSettings,
    endpoint: Endpoint,
) -> DataStream:
    if settings.source == "resume":
        return whole_polls(resume_blocks(env, tables, settings.reader(endpoint)), endpoint)
    return line_bytes(socket_lines(env, endpoint), endpoint)
