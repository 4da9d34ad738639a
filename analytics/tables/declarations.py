"""The tables that the questions know, as SQL text: events, late events, lines, results. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from analytics import hosts
from analytics.fields import FIELDS, TIMESTAMPS, columns
from analytics.question import INSERT, Question, split_statements
from analytics.settings import AnalyticsSettings, ArchiveSettings
from flink_bridge.kafka.settings import KafkaSettings
from flink_bridge.kafka.sql_text import literal, with_options

_LATE_FIELDS = ("computer", "source", "record_id", "level", "event_id")
# Ours reads only the fields that a question needs; Flink's makes a tree of each event.
_FORMAT = {"format": "win-event"}
# The bridge has parsed the events of a topic; a file may have any line.
_CHECKED = {**_FORMAT, "win-event.check": "true"}
# For Flink's SQL client, which does not have ours. Flink's newer decoder drops a whole event if one column of
# objects holds an array, such as "data": [].
_JSON = {"format": "json", "json.ignore-parse-errors": "true", "json.decode.json-parser.enabled": "false"}
_ISO = "timestamp-format.standard"
# A file has no record timestamp, so the time of the event is used, in milliseconds; 1970 without one.
_TOLD = "COALESCE(`timestamp`, `@timestamp`, EventTime, TimeCreated)"
_ZONE = (  # milliseconds east of UTC; a time without an offset is UTC
    f"COALESCE(CAST(REGEXP_EXTRACT({_TOLD}, '([+-])\\d\\d:?\\d\\d$', 1) || '1' AS INT)"
    f" * (CAST(REGEXP_EXTRACT({_TOLD}, '[+-](\\d\\d):?\\d\\d$', 1) AS INT) * 3600000"
    f" + CAST(REGEXP_EXTRACT({_TOLD}, '[+-]\\d\\d:?(\\d\\d)$', 1) AS INT) * 60000), 0)"
)
_FILE_TIME = (
    f"COALESCE(TO_TIMESTAMP_LTZ(UNIX_TIMESTAMP(REPLACE(SUBSTRING({_TOLD}, 1, 19), 'T', ' ')) * 1000 - {_ZONE}"
    f" + CAST(RPAD(COALESCE(REGEXP_EXTRACT({_TOLD}, '\\.(\\d{{1,3}})', 1), '0'), 3, '0') AS INT), 3),"
    " TO_TIMESTAMP_LTZ(0, 3))"
)
# Rows that change with each event: only the last one of each half second is written.
_RENEWED = {"sink.buffer-flush.interval": "500 ms", "sink.buffer-flush.max-rows": "10000"}
_NEVER = "TO_TIMESTAMP_LTZ(-1, 3)"  # the watermark in files: nothing is late, all windows close at the end


def fields_of(questions: Iterable[Question]) -> list[str]:
    """The fields of an event that these questions mention, in a fixed order."""
    questions = list(questions)
    return [name for name in FIELDS if any(question.mentions(name) for question in questions)]


def events_from_kafka(
    settings: AnalyticsSettings,
    kafka: KafkaSettings,
    prefix: str,
    fields: Iterable[str],
    value_format: Mapping[str, str] = _FORMAT,
) -> list[str]:
    """The tables event_documents (everything that is read), events (in time) and late_events."""
    needed = [name for name in FIELDS if name in {*fields, *_LATE_FIELDS}]
    more = hosts.expressions(settings.hosts) if settings.hosts is not None else {}
    # Times are in order within a partition: the connector has a watermark for each, and the lowest counts.
    time = (
        "event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',\n  "
        # A watermark is the time of the newest event that is late: not of one that is late by just the bound.
        f"WATERMARK FOR event_time AS event_time - {interval(settings.max_lateness + 0.001)}"
    )
    options = reading(settings, kafka, prefix)
    options |= {f"value.{name}": value for name, value in value_format.items()}
    on_time = "CURRENT_WATERMARK(event_time) IS NULL OR event_time > CURRENT_WATERMARK(event_time)"
    late = "event_time <= CURRENT_WATERMARK(event_time)"
    late_by = "TIMESTAMPDIFF(SECOND, event_time, CURRENT_WATERMARK(event_time))"
    return [
        table("event_documents", f"{columns(needed)},\n  {time}", options),
        _view("events", needed, more, where=on_time),
        _view("late_events", needed, {"seconds_late": late_by}, where=late),
    ]


def events_from_files(settings: AnalyticsSettings, folder: Path, fields: Iterable[str]) -> list[str]:
    """The same tables from every file in `folder`; nothing is late."""
    time = f"event_time AS {_FILE_TIME},\n  WATERMARK FOR event_time AS {_NEVER}"
    options = {"connector": "filesystem", "path": folder.as_uri(), **_CHECKED}
    more = hosts.expressions(settings.hosts) if settings.hosts is not None else {}
    return [
        table("event_documents", f"{columns(fields, TIMESTAMPS)},\n  {time}", options),
        _view("events", fields, more),
    ]


def rejected_lines(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> str:
    """The table of lines that the bridge rejected, with the reasons."""
    body = (
        "line STRING,\n  headers MAP<STRING, BYTES> METADATA VIRTUAL,\n  "
        "reason AS DECODE(headers['reason'], 'UTF-8'),\n  "
        "event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL"
    )
    options = reading(settings, kafka, prefix) | {"topic": settings.rejected_topic, "value.format": "raw"}
    return table("rejected", body, options)


def everything(settings: AnalyticsSettings, prefix: str) -> list[str]:
    """All tables with all fields, for the SQL client."""
    assert settings.kafka is not None  # noqa: S101 - files are not declared
    return [
        *events_from_kafka(settings, settings.kafka, prefix, FIELDS, _JSON),
        lines_from_kafka(settings, settings.kafka, prefix),
        rejected_lines(settings, settings.kafka, prefix),
        *results_in_kafka(settings, settings.kafka, prefix).values(),
    ]


LATE = (
    "INSERT INTO events_late SELECT computer, source, record_id, event_time, seconds_late, `level`, event_id"
    " FROM late_events"
)


def lines_from_kafka(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> str:
    """The values of the records, unchanged."""
    time = "line STRING,\n  event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'"
    return table("event_lines", time, reading(settings, kafka, prefix) | {"value.format": "raw"})


def results_in_kafka(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> dict[str, str]:
    """Every result table over its topic, by name."""
    declared = {}
    for name, statement in declarations().items():
        options = {
            "connector": "upsert-kafka",
            "topic": settings.topic_of(name),
            "key.format": "json",
            f"key.json.{_ISO}": "ISO-8601",
            "value.format": "json",
            f"value.json.{_ISO}": "ISO-8601",
            "sink.delivery-guarantee": settings.delivery,
            **_bounds(settings),
            **(_RENEWED if name in ("events_by_level", "alerts") else {}),
        }
        if settings.delivery == "exactly-once":
            options["sink.transactional-id-prefix"] = f"{settings.transactional_id_prefix}-{name}"
            options["properties.transaction.timeout.ms"] = str(settings.transaction_timeout * 1000)
        options |= {f"properties.{k}": v for k, v in kafka.producer_properties(prefix).items()}
        declared[name] = f"{statement} {with_options(options)}"
    return declared


def with_own_transactions(insert: str, settings: AnalyticsSettings, writer: str) -> str:
    """The INSERT, with a unique transactional id prefix, because two questions may write to one topic."""
    written = INSERT.match(insert)
    if settings.delivery != "exactly-once" or settings.files or not written:
        return insert
    if written["table"] not in declarations():
        return insert
    prefix = literal(f"{settings.transactional_id_prefix}-{writer}")
    hint = f"/*+ OPTIONS('sink.transactional-id-prefix' = {prefix}) */"
    return f"{written[0]} {hint}{insert[written.end() :]}"


def results_in_files(folder: Path) -> dict[str, str]:
    """Every result table as a folder of changes, which job.py combines into rows."""
    return {
        name: f"{statement} "
        + with_options(
            {
                "connector": "filesystem",
                "path": (folder / name).as_uri(),
                "format": "debezium-json",
                f"debezium-json.{_ISO}": "ISO-8601",
            }
        )
        for name, statement in declarations().items()
    }


def archive(settings: ArchiveSettings) -> str:
    """Lines, unchanged, in folders by day, hour and channel."""
    age = f"{settings.part_seconds} s"
    options = {
        "connector": "filesystem",
        "path": settings.path,
        "format": "raw",
        "sink.rolling-policy.file-size": f"{settings.part_bytes} b",
        "sink.rolling-policy.rollover-interval": age,
        "sink.rolling-policy.inactivity-interval": age,
        "sink.rolling-policy.check-interval": f"{min(settings.part_seconds, 60)} s",
        "sink.partition-commit.policy.kind": "success-file",
        "sink.partition-commit.delay": "1 h",
    }
    body = "line STRING,\n  `day` STRING,\n  `hour` STRING,\n  channel STRING"
    return table("archive", body, options, " PARTITIONED BY (`day`, `hour`, channel)")


def declarations() -> dict[str, str]:
    """results.sql: the statement of each result table, without its connector."""
    text = resources.files("analytics").joinpath("results.sql").read_text(encoding="utf-8")
    return {statement.split()[3]: statement for statement in split_statements(text)}


def reading(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> dict[str, str]:
    client = {f"properties.{name}": value for name, value in kafka.client_properties(prefix).items()}
    return {
        "connector": "kafka",
        "topic": settings.topic,
        # The group only shows, by its committed offsets, how far behind the job is.
        "properties.group.id": settings.transactional_id_prefix,
        "properties.isolation.level": "read_committed",
        "scan.startup.mode": f"{settings.start_from}-offset",
        **_bounds(settings),
        **client,
    }


def _bounds(settings: AnalyticsSettings) -> dict[str, str]:
    return {"scan.bounded.mode": "latest-offset"} if settings.bounded else {}


def _view(name: str, fields: Iterable[str], more: Mapping[str, str], where: str = "") -> str:
    expressions = {field: FIELDS[field].expression for field in fields} | dict(more)
    body = ",\n  ".join(["event_time", *(f"{sql} AS `{name}`" for name, sql in expressions.items())])
    condition = f"\nWHERE {where}" if where else ""
    return f"CREATE TEMPORARY VIEW {name} AS SELECT\n  {body}\nFROM event_documents{condition}"


def table(name: str, body: str, options: Mapping[str, str], more: str = "") -> str:
    return f"CREATE TEMPORARY TABLE {name} (\n  {body}\n){more} {with_options(options)}"


def interval(seconds: float) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    days, rest = divmod(whole, 86_400)
    text = f"{days} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{milliseconds:03d}"
    return f"INTERVAL '{text}' DAY(3) TO SECOND(3)"
