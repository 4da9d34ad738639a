"""Our operators inside the JVM, and how Flink gets them.

Flink's SQL planner writes Java for each query, and Flink compiles it where it runs. These go the same
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

from flink_bridge.jvm.sorting import sorting_options
from flink_bridge.settings import BridgeSettings
from producer.endpoint import Endpoint

JAVA = Path(__file__).resolve().parent


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
    return compiled_operator(lines, JAVA / "LineBytes.java", f"bytes {endpoint}", _byte_array())


def sort_lines(blocks: DataStream, settings: BridgeSettings, endpoint: Endpoint) -> DataStream:
    """Blocks of lines (byte[]) as Kafka records, see record_type; in a thread of its own, with the writer."""
    records = internal_type(record_type(settings.events.event_timestamps))
    options = json.dumps(sorting_options(settings, endpoint))
    return compiled_operator(blocks, JAVA / "SortLines.java", f"sort {endpoint}", records, options, head=True)


def internal_type(row: RowType) -> Any:
    """The TypeInformation of rows as Flink's tables hold them, which need no conversion."""
    types = get_gateway().jvm.org.apache.flink.table.runtime.typeutils.InternalTypeInfo
    return types.of(_to_java_data_type(row).getLogicalType())


def _byte_array() -> Any:
    types = get_gateway().jvm.org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo
    return types.BYTE_PRIMITIVE_ARRAY_TYPE_INFO


def compiled_operator(
    stream: DataStream, source: Path, name: str, output: Any, *references: str, head: bool = False
) -> DataStream:
    """The stream through an operator that Flink compiles from `source`; the file is called as its class.

    `output`: the TypeInformation of what it emits. `references`: what its constructor gets. `head`: it begins
    a chain, so it runs in another thread than what is before it. PyFlink has no public call for this (2.3).
    """
    gateway = get_gateway()
    flink = gateway.jvm.org.apache.flink
    objects = gateway.new_array(gateway.jvm.java.lang.Object, len(references))
    for index, reference in enumerate(references):
        objects[index] = reference
    text, configuration = source.read_text(encoding="utf-8"), flink.configuration.Configuration()
    generated = flink.table.runtime.generated.GeneratedOperator(source.stem, text, objects, configuration)
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
