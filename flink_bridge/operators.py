"""Our two operators inside the JVM, and how Flink gets them.

Flink's SQL planner writes Java for each query, and Flink compiles it where it runs. These two go the same
way, as a text that people can read: nothing is built beforehand, and a line is parsed once, by Jackson.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyflink.datastream import DataStream
from pyflink.java_gateway import get_gateway
from pyflink.table import DataTypes
from pyflink.table.types import RowType, _to_java_data_type

from flink_bridge.endpoints import Endpoint
from flink_bridge.settings import BridgeSettings

SOURCES = Path(__file__).resolve().parent / "java"


def record_type(event_timestamps: bool) -> RowType:
    """What SortLines emits: the columns of the Kafka table."""
    fields = [
        DataTypes.FIELD("k", DataTypes.BYTES()),
        DataTypes.FIELD("v", DataTypes.BYTES()),
        DataTypes.FIELD("topic", DataTypes.STRING(nullable=False)),
        DataTypes.FIELD("headers", DataTypes.MAP(DataTypes.STRING(), DataTypes.BYTES())),
    ]
    if event_timestamps:
        fields.append(DataTypes.FIELD("ts", DataTypes.TIMESTAMP_LTZ(3)))
    return DataTypes.ROW(fields)


def line_bytes(lines: DataStream, endpoint: Endpoint) -> DataStream:
    """Each line (String) as a block of its own (byte[])."""
    types = get_gateway().jvm.org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo
    return _operator(lines, "LineBytes", f"bytes {endpoint}", types.BYTE_PRIMITIVE_ARRAY_TYPE_INFO)


def sort_lines(blocks: DataStream, settings: BridgeSettings, endpoint: Endpoint) -> DataStream:
    """Blocks of lines (byte[]) as Kafka records, see record_type; in a thread of its own, with the writer."""
    internal = get_gateway().jvm.org.apache.flink.table.runtime.typeutils.InternalTypeInfo
    logical = _to_java_data_type(record_type(settings.events.event_timestamps)).getLogicalType()
    options = json.dumps(sorting_options(settings, endpoint))
    return _operator(blocks, "SortLines", f"sort {endpoint}", internal.of(logical), options, head=True)


def sorting_options(settings: BridgeSettings, endpoint: Endpoint) -> dict[str, Any]:
    """What SortLines is told: the paths to read, and which of them (by number) serve for what."""
    events = settings.events
    timestamp = (events.timestamp_field,) if events.event_timestamps else ()
    required = tuple(dict.fromkeys((events.key_field, *timestamp, *events.require)))
    slots = {path.steps: 0 for path in (*required, *events.headers)}
    slots = {steps: slot for slot, steps in enumerate(slots)}
    return {
        "topic": settings.topic,
        "rejected_topic": settings.rejected_topic,
        "endpoint": str(endpoint),
        "max_line": events.max_line,
        "fields": list(slots),
        "key": slots[events.key_field.steps],
        "timestamp": slots[events.timestamp_field.steps] if timestamp else -1,
        "required": [(slots[path.steps], str(path)) for path in required],
        "headers": [(slots[path.steps], str(path)) for path in events.headers],
    }


def _operator(
    stream: DataStream, class_name: str, name: str, output: Any, *references: str, head: bool = False
) -> DataStream:
    """The stream through one of our operators. PyFlink has no public call for generated ones (up to 2.3)."""
    gateway = get_gateway()
    flink = gateway.jvm.org.apache.flink
    objects = gateway.new_array(gateway.jvm.java.lang.Object, len(references))
    for index, reference in enumerate(references):
        objects[index] = reference
    source = (SOURCES / f"{class_name}.java").read_text(encoding="utf-8")
    configuration = flink.configuration.Configuration()
    generated = flink.table.runtime.generated.GeneratedOperator(class_name, source, objects, configuration)
    factory = flink.table.runtime.operators.CodeGenOperatorFactory(generated)
    upstream = stream._j_data_stream
    transformation = flink.streaming.api.transformations.OneInputTransformation(
        upstream.getTransformation(), name, factory, output, 1
    )
    transformation.setUid(name)
    if head:
        transformation.setChainingStrategy(flink.streaming.api.operators.ChainingStrategy.HEAD)
    environment = upstream.getExecutionEnvironment()
    environment.addOperator(transformation)
    return DataStream(flink.streaming.api.datastream.DataStream(environment, transformation))
