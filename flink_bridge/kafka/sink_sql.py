"""The Kafka table as SQL text."""

from __future__ import annotations

from collections.abc import Mapping

from flink_bridge.settings import BridgeSettings

SINK = "kafka_sink"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def sink_table(settings: BridgeSettings, producer_properties: Mapping[str, str]) -> str:
    """One Kafka table for both topics: one connection and one transaction carry events and rejected lines."""
    options = {
        "connector": "kafka",
        "topic": f"{settings.topic};{settings.rejected_topic}",
        "key.format": "raw",
        "key.fields": "k",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        "sink.delivery-guarantee": settings.delivery,
    }
    if settings.delivery == "exactly-once":
        options["sink.transactional-id-prefix"] = settings.transactional_id_prefix
        options["properties.transaction.timeout.ms"] = str(settings.transaction_timeout * 1000)
    if settings.sink_parallelism:
        options["sink.parallelism"] = str(settings.sink_parallelism)
    options |= {f"properties.{name}": value for name, value in producer_properties.items()}
    rows = ",\n  ".join(f"{literal(name)} = {literal(value)}" for name, value in options.items())
    timestamp = ", ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'" if settings.events.event_timestamps else ""
    return (
        f"CREATE TEMPORARY TABLE {SINK} (k BYTES, v BYTES, topic STRING NOT NULL METADATA, "
        f"headers MAP<STRING, BYTES> METADATA{timestamp}) WITH (\n  {rows}\n)"
    )
