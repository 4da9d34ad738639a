"""The topic as blocks of lines: Flink's Kafka source, and behind it GatherLines.java.

Python is called once a block. Event time is the time of the records, and never ahead of a block.
"""

from __future__ import annotations

from typing import Any

from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from detection.flink.settings import DetectionSettings
from flink_bridge.jvm.classes import java_class
from flink_bridge.kafka.preflight import java_properties


def line_blocks(env: StreamExecutionEnvironment, settings: DetectionSettings, prefix: str) -> DataStream:
    """A stream of blocks (byte[], see LineBlock.java); `prefix` as of preflight.class_prefix."""
    flink: Any = get_gateway().jvm.org.apache.flink
    name = f"read {settings.topic}"
    lines = env._j_stream_execution_environment.fromSource(
        _source(flink, settings, prefix), _event_time(flink, settings), name
    )
    types = flink.api.common.typeinfo.PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO
    blocks = lines.uid(name).transform("gather lines", types, java_class("GatherLines")())
    return DataStream(blocks)


def _source(flink: Any, settings: DetectionSettings, prefix: str) -> Any:
    kafka = flink.connector.kafka.source
    offsets = kafka.enumerator.initializer.OffsetsInitializer
    lines = flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema.valueOnly(
        flink.api.common.serialization.ByteArraySchema()
    )
    builder = (
        kafka.KafkaSource.builder()
        .setProperties(java_properties(settings.kafka.client_properties(prefix)))
        .setProperty("isolation.level", "read_committed")
        .setGroupId(settings.group)
        .setTopics([settings.topic])
        .setStartingOffsets(offsets.earliest() if settings.start_from == "earliest" else offsets.latest())
        .setDeserializer(lines)
    )
    if settings.bounded:
        builder.setBounded(offsets.latest())
    return builder.build()


def _event_time(flink: Any, settings: DetectionSettings) -> Any:
    durations = get_gateway().jvm.java.time.Duration
    lateness, idle = (
        durations.ofMillis(int(seconds * 1000)) for seconds in (settings.max_lateness, settings.idle_timeout)
    )
    strategies = flink.api.common.eventtime.WatermarkStrategy
    return strategies.forBoundedOutOfOrderness(lateness).withIdleness(idle)
