"""Two jobs to compare the bridge with, on the same socket source and the same Kafka settings.

`raw`: lines straight into Kafka, no key, no JSON, no second topic: the limit of the platform. `java`: what
one writes by hand in Java, a tree of each line and the key out of it; one bad line ends that job.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pyflink.datastream import DataStream
from pyflink.table import DataTypes

from flink_bridge.graph import environment
from flink_bridge.jvm.operators import compiled_operator, internal_type
from flink_bridge.kafka.settings import KafkaSettings
from flink_bridge.kafka.sink_sql import literal
from flink_bridge.settings import BridgeSettings
from flink_bridge.sources.socket_source import socket_lines
from producer.endpoint import Endpoint

TREE_KEY = Path(__file__).resolve().parent / "java" / "TreeKey.java"
KEYED: dict[str, str] = {
    "key.format": "raw", "key.fields": "k", "value.format": "raw", "value.fields-include": "EXCEPT_KEY"
}  # fmt: skip


def main(kind: str, port: int) -> None:
    kafka = KafkaSettings(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        username=os.environ["KAFKA_USERNAME"],
        password_file=os.environ["KAFKA_PASSWORD_FILE"],
    )
    endpoint, topic = Endpoint("127.0.0.1", port), os.environ["KAFKA_TOPIC"]
    settings = BridgeSettings((endpoint,), kafka, topic=topic, job_name=f"peer: {kind}")
    env, tables = environment(settings)
    lines: Any = socket_lines(env, endpoint)
    columns, formats = "line STRING", {"format": "raw"}
    if kind == "java":
        lines, columns, formats = _keyed(lines), "k BYTES, v BYTES", KEYED
    options = {"connector": "kafka", "topic": topic, **formats, "sink.delivery-guarantee": settings.delivery}
    options |= {f"properties.{name}": value for name, value in kafka.producer_properties().items()}
    rows = ", ".join(f"{literal(name)} = {literal(value)}" for name, value in options.items())
    tables.execute_sql(f"CREATE TEMPORARY TABLE sink ({columns}) WITH ({rows})")
    statements = tables.create_statement_set()
    statements.add_insert("sink", tables.from_data_stream(lines))
    statements.attach_as_datastream()
    env.execute(settings.name)


def _keyed(lines: DataStream) -> DataStream:
    row = DataTypes.ROW([DataTypes.FIELD("k", DataTypes.BYTES()), DataTypes.FIELD("v", DataTypes.BYTES())])
    return compiled_operator(lines, TREE_KEY, "tree", internal_type(row))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
