"""The graph between the sources and Kafka as SQL text: inside the JVM, a line is parsed once.

With options each further field costs a second, short parse of what the first one found.

A column to compute once is put behind `CROSS JOIN UNNEST(ARRAY[ROW(…)])`: the planner copies a plain
expression into each place where its column is used, and each copy of a JSON function parses the line again.
It also comes first after the source, because a projection would encode and copy every line once more.
"""

# ruff: noqa: S608  # the SQL text is this module's product; whatever a user wrote in it goes through literal()
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flink_bridge.endpoints import Endpoint
from flink_bridge.field_path import FieldPath
from flink_bridge.settings import BridgeSettings, EventSettings

SINK = "kafka_sink"
EVENT = "$[-2]['e']"  # where _wrapped puts it
MAX_REJECTED = 900_000
"""Bytes of a rejected line that are kept: a record above Kafka's max.request.size would fail the job."""


@dataclass(frozen=True)
class LineView:
    """A table of lines: how one is read from it as text and as bytes, and where it came from."""

    name: str
    endpoint: Endpoint
    text: str
    octets: str


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
        f"CREATE TEMPORARY TABLE {SINK} (k STRING, v BYTES, topic STRING NOT NULL METADATA, "
        f"headers MAP<STRING, BYTES> METADATA{timestamp}) WITH (\n  {rows}\n)"
    )


def insert(settings: BridgeSettings, views: Iterable[LineView]) -> str:
    """Everything the views yield, sorted into events and rejected lines; empty lines are dropped."""
    events = settings.events
    columns = ["v", *_fields(events), *(["ts"] if events.event_timestamps else [])]
    rows = " UNION ALL ".join(
        f"SELECT {', '.join(columns)}, {literal(str(view.endpoint))} AS endpoint "
        f"FROM {view.name}{_extraction(events, view)}"
        for view in views
    )
    valid = " AND ".join(f"{column} IS NOT NULL" for column in _needed_columns(events))
    selected = [
        f"CASE WHEN {valid} THEN k END",
        f"CASE WHEN {valid} THEN v ELSE CAST(v AS VARBINARY({MAX_REJECTED})) END",
        f"CASE WHEN {valid} THEN {literal(settings.topic)} ELSE {literal(settings.rejected_topic)} END",
        f"CASE WHEN {valid} THEN {_event_headers(events)} ELSE {_rejection_headers(events)} END",
        *([f"CASE WHEN {valid} THEN ts END"] if events.event_timestamps else []),
    ]
    return f"INSERT INTO {SINK} SELECT {', '.join(selected)} FROM ({rows}) WHERE v <> X''"


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


def _wrapped(events: EventSettings, text: str) -> str:
    """TEXT inside `[{"e":…},0]`, so that whatever stands behind the event makes it invalid.

    Flink's JSON functions stop reading at the end of the first value: two lines run together would pass.
    Counted from the end, the event is at [-2]; a surplus bracket that closes the frame early moves it away.
    A line that is too long, or that holds the character which decoders put in place of damaged bytes, gets a
    character that no JSON string may hold. These functions work on Java strings and cost a few ns each.
    """
    short = f"OVERLAY({text} PLACING U&'\\0000' FROM {events.max_line + 1} FOR 1)"
    whole = f"REPLACE({short}, U&'\\FFFD', U&'\\0000')"
    return "REPLACE('[{\"e\":@},0]', '@', " + whole + ")"


def _extraction(events: EventSettings, view: LineView) -> str:
    """The correlations that add the line's bytes `v`, one column per field, and `ts`."""
    fields = _fields(events)
    wrapped = _wrapped(events, view.text)
    if len(fields) == 1:
        path = literal(EVENT + events.key_field.json_path[1:])
        return f" CROSS JOIN UNNEST(ARRAY[ROW(JSON_VALUE({wrapped}, {path}), {view.octets})]) AS u(k, v)"
    tops = ",".join(f"'{top}'" for top in dict.fromkeys(path.top for path in fields.values()))
    path = literal(f"{EVENT}[{tops}]")
    values = ", ".join(f"JSON_VALUE(q, {literal(path.json_path)})" for path in fields.values())
    extraction = (
        f" CROSS JOIN UNNEST(ARRAY[ROW(JSON_QUERY({wrapped}, {path}), {view.octets})]) AS u(q, v)"
        f" CROSS JOIN UNNEST(ARRAY[ROW({values})]) AS w({', '.join(fields)})"
    )
    if events.event_timestamps:
        # A broker refuses what lies more than an hour ahead of its clock, and that would fail the job.
        bounds = "TO_TIMESTAMP_LTZ(0, 3) AND TIMESTAMPADD(MINUTE, 55, CURRENT_TIMESTAMP)"
        extraction += (
            f" CROSS JOIN UNNEST(ARRAY[{_timestamp()}]) AS x(any_ts)"
            f" CROSS JOIN UNNEST(ARRAY[CASE WHEN any_ts BETWEEN {bounds} THEN any_ts END]) AS y(ts)"
        )
    return extraction


def _timestamp() -> str:
    """Column `t`, ISO 8601 with Z, an offset or nothing (then UTC), as a time; NULL when it is none."""
    shape = "t LIKE '____-__-__T__:__:__%'"
    offset = "(CAST(SUBSTRING(RIGHT(t, 5), 1, 2) AS INT) * 60 + CAST(RIGHT(t, 2) AS INT))"
    local = "REPLACE(SUBSTRING(t, 1, CHAR_LENGTH(t) - 6), 'T', ' ')"
    moved = "TIMESTAMPADD(MINUTE, {}" + offset + f", TRY_CAST({local} AS TIMESTAMP_LTZ(3)))"
    return (
        f"CASE WHEN {shape} IS NOT TRUE THEN NULL "
        f"WHEN REGEXP(t, '\\+[0-9]{{2}}:[0-9]{{2}}$') THEN {moved.format('-')} "
        f"WHEN REGEXP(t, 'T.*-[0-9]{{2}}:[0-9]{{2}}$') THEN {moved.format('')} "
        "ELSE TRY_CAST(REPLACE(REPLACE(t, 'T', ' '), 'Z', '') AS TIMESTAMP_LTZ(3)) END"
    )


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
    """Worked out only for lines that were rejected, and from their bytes."""
    text = "DECODE(v, 'UTF-8')"
    wrapped = _wrapped(events, text)
    timestamp = (events.timestamp_field,) if events.event_timestamps else ()
    missing = " ".join(
        "WHEN JSON_VALUE({}, {}) IS NULL THEN {}".format(
            wrapped, literal(EVENT + path.json_path[1:]), literal(f"missing:{path}")
        )
        for path in dict.fromkeys((events.key_field, *timestamp, *events.require))
    )
    is_object = f"JSON_QUERY({wrapped}, {literal(EVENT)}) LIKE '{{%'"
    return (
        f"CASE WHEN CHAR_LENGTH({text}) > {events.max_line} THEN 'too-long' "
        f"WHEN JSON_VALUE({wrapped}, '$[-1]') IS NULL THEN 'not-json' "
        f"WHEN {is_object} IS NOT TRUE THEN 'not-an-object' "
        f"{missing} ELSE 'bad-timestamp' END"
    )
