"""Builds the job in Flink and runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from flink_bridge.flink_settings import flink_options
from flink_bridge.jvm.classes import java_class, ship_without_pyflink
from flink_bridge.jvm.sorting import sorting_options
from flink_bridge.kafka.sink import kafka_sink
from flink_bridge.settings import BridgeSettings
from flink_bridge.sources.log_source import log_blocks
from flink_bridge.sources.socket_source import socket_lines
from producer.endpoint import Endpoint


def environment(settings: BridgeSettings) -> StreamExecutionEnvironment:
    """An empty job with the bridge's settings of Flink."""
    configuration = Configuration()
    for name, value in flink_options(settings).items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    return env


def build(settings: BridgeSettings, prefix: str, jar: Path) -> StreamExecutionEnvironment:
    """The environment with the whole job in it, not yet submitted; `prefix` as of preflight.class_prefix.

    `jar`: the file that load_classes wrote; it must exist until the job is submitted.
    """
    env = environment(settings)
    ship_without_pyflink(env, jar)
    records = [
        _records(_blocks(env, settings, endpoint), settings, endpoint) for endpoint in settings.endpoints
    ]
    together = records[0]
    for more in records[1:]:
        together = together.union(_streams(more))
    sink = together.sinkTo(kafka_sink(settings, prefix))
    sink.name(f"write to Kafka ({settings.topic})").uid("kafka sink")
    if settings.sink_parallelism:
        sink.setParallelism(settings.sink_parallelism)
    return env


def run(settings: BridgeSettings, prefix: str, jar: Path) -> None:
    """Submit and wait until the job ends, or return at once under `flink run --detached`."""
    build(settings, prefix, jar).execute(settings.name)


def _blocks(env: StreamExecutionEnvironment, settings: BridgeSettings, endpoint: Endpoint) -> Any:
    """A Java stream of blocks (byte[], see LineCutter.java)."""
    if settings.source != "socket":
        return log_blocks(env, settings, endpoint)._j_data_stream
    lines: DataStream = socket_lines(env, endpoint)
    types: Any = get_gateway().jvm.org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo
    blocks = lines._j_data_stream.map(java_class("LineBytes")(), types.BYTE_PRIMITIVE_ARRAY_TYPE_INFO)
    return blocks.name("as bytes").uid(f"bytes {endpoint}")


def _records(blocks: Any, settings: BridgeSettings, endpoint: Endpoint) -> Any:
    """The blocks as KafkaRecord, in the thread of the source; the writer of a single source works there."""
    parser = java_class("SortLines")(json.dumps(sorting_options(settings, endpoint)))
    types: Any = get_gateway().jvm.org.apache.flink.api.common.typeinfo.TypeInformation
    record = java_class("KafkaRecord")._java_lang_class
    records = blocks.process(parser, types.of(record)).name("parse and key").uid(f"sort {endpoint}")
    if settings.sink_parallelism:
        records.setParallelism(settings.sink_parallelism)
    # Flink runs no Kafka writer in the thread of its socket source: then the writer is to have the parser's.
    return records.startNewChain() if settings.source == "socket" else records


def _streams(stream: Any) -> Any:
    gateway = get_gateway()
    streams = gateway.new_array(gateway.jvm.org.apache.flink.streaming.api.datastream.DataStream, 1)
    streams[0] = stream
    return streams
