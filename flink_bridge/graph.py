"""Builds the job in Flink and runs it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment
from pyflink.util.java_utils import get_field_value

from flink_bridge.flink_settings import flink_options
from flink_bridge.jvm.classes import write_jar
from flink_bridge.jvm.operators import line_bytes, sort_lines
from flink_bridge.kafka.sink_sql import SINK, sink_table
from flink_bridge.settings import BridgeSettings
from flink_bridge.sources.log_source import log_blocks
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


def build(settings: BridgeSettings, prefix: str, jar: Path) -> StreamExecutionEnvironment:
    """The environment with the whole job in it, not yet submitted; `prefix` as of preflight.class_prefix.

    `jar` is written; it has to be there until the job is submitted.
    """
    env, tables = environment(settings)
    write_jar(jar)
    env.add_jars(jar.as_uri())
    records = [
        sort_lines(_blocks(env, settings, endpoint), settings, endpoint) for endpoint in settings.endpoints
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
        env = build(settings, prefix, Path(folder) / "win-event-bridge.jar")
        env.execute(settings.name)


def _blocks(env: StreamExecutionEnvironment, settings: BridgeSettings, endpoint: Endpoint) -> DataStream:
    if settings.source == "socket":
        return line_bytes(socket_lines(env, endpoint), endpoint)
    return log_blocks(env, settings, endpoint)
