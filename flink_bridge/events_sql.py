"""The graph between the sources and Kafka as SQL text: every line is evaluated once, inside the JVM.

A column that must be computed once is put behind `CROSS JOIN UNNEST(ARRAY[…])`: the planner copies a plain
expression into each place where its column is used, and each copy of a JSON function parses the line again.
"""

# ruff: noqa: S608  # the SQL text is this module's product; whatever a user wrote in it goes through literal()
from __future__ import annotations

from collections.abc import Iterable, Mapping

from flink_bridge.endpoints import Endpoint
from flink_bridge.field_path import FieldPath
from flink_bridge.settings import BridgeSettings, EventSettings

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
        f"CREATE TEMPORARY TABLE {SINK} (k STRING, v STRING, topic STRING NOT NULL METADATA, "
        f"headers MAP<STRING, BYTES> METADATA{timestamp}) WITH (\n  {rows}\n)"
    )


def insert(settings: BridgeSettings, views: Iterable[tuple[str, Endpoint]]) -> str:
    """Everything the views yield, sorted into events and rejected lines."""
    events = settings.events
    lines = " UNION ALL ".join(
        f"SELECT line, {literal(str(endpoint))} AS endpoint FROM {view} WHERE line <> ''"
        for view, endpoint in views
    )
    valid = " AND ".join(f"{column} IS NOT NULL" for column in _needed_columns(events))
    columns = [
        f"CASE WHEN {valid} THEN k END",
        "line",
        f"CASE WHEN {valid} THEN {literal(settings.topic)} ELSE {literal(settings.rejected_topic)} END",
        f"CASE WHEN {valid} THEN {_event_headers(events)} ELSE {_rejection_headers(events)} END",
    ]
    if events.event_timestamps:
        columns.append(f"CASE WHEN {valid} THEN ts END")
    return f"INSERT INTO {SINK} SELECT {', '.join(columns)} FROM ({lines}){_extraction(events)}"


def _fields(events: EventSettings) -> dict[str, FieldPath]:
    """Column names of the fields that are read, the key first."""
    fields = {"k": events.key_field}
    if events.event_timestamps:
        fields["t"] = events.timestamp_field
    known = {path.steps for path in fields.values()}
    for path in (*events.require, *events.headers):
        if path.steps not in known:
            known.add(path.steps)
            fields[f"f{len(fields)}"] = path
    return fields


def _needed_columns(events: EventSettings) -> list[str]:
    required = {events.key_field.steps, *(path.steps for path in events.require)}
    needed = [column for column, path in _fields(events).items() if path.steps in required]
    return [*needed, "ts"] if events.event_timestamps else needed


def _extraction(events: EventSettings) -> str:
    """The correlations that add one column per field, and `ts`."""
    fields = _fields(events)
    guarded = f"CASE WHEN CHAR_LENGTH(line) <= {events.max_line} THEN line END"
    if len(fields) == 1:
        value = f"JSON_VALUE({guarded}, {literal(events.key_field.json_path)})"
        return f" CROSS JOIN UNNEST(ARRAY[{value}]) AS u(k)"
    tops = ",".join(f'"{top}"' for top in dict.fromkeys(path.top for path in fields.values()))
    query = f"JSON_QUERY({guarded}, {literal(f'$[{tops}]')})"
    values = ", ".join(f"JSON_VALUE(q, {literal(path.json_path)})" for path in fields.values())
    names = ", ".join(fields)
    extraction = (
        f" CROSS JOIN UNNEST(ARRAY[{query}]) AS u(q) CROSS JOIN UNNEST(ARRAY[ROW({values})]) AS w({names})"
    )
    if events.event_timestamps:
        extraction += f" CROSS JOIN UNNEST(ARRAY[{_timestamp()}]) AS x(ts)"
    return extraction


def _timestamp() -> str:
    return "TRY_CAST(REPLACE(REPLACE(t, 'T', ' '), 'Z', '') AS TIMESTAMP_LTZ(3))"


def _event_headers(events: EventSettings) -> str:
    if not events.headers:
        return "CAST(NULL AS MAP<STRING, BYTES>)"
    columns = {path.steps: column for column, path in _fields(events).items()}
    pairs = ", ".join(
        f"{literal(str(path))}, ENCODE({columns[path.steps]}, 'UTF-8')" for path in events.headers
    )
    return f"MAP[{pairs}]"


def _rejection_headers(events: EventSettings) -> str:
    return f"MAP['reason', ENCODE({_reason(events)}, 'UTF-8'), 'endpoint', ENCODE(endpoint, 'UTF-8')]"


def _reason(events: EventSettings) -> str:
    """Worked out only for lines that were rejected."""
    missing = " ".join(
        f"WHEN JSON_VALUE(line, {literal(path.json_path)}) IS NULL THEN {literal(f'missing:{path}')}"
        for path in dict.fromkeys((events.key_field, *events.require))
    )
    return (
        f"CASE WHEN CHAR_LENGTH(line) > {events.max_line} THEN 'too-long' "
        "WHEN line IS NOT JSON THEN 'not-json' WHEN line IS NOT JSON OBJECT THEN 'not-an-object' "
        f"{missing} ELSE 'bad-timestamp' END"
    )
