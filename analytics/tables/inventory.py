"""The tables that a question about the inventory reads: versions of its rows, and alerts. Pure.

A change of a row makes a version of it, valid from the time of the commit. A row of a snapshot is valid from
its own `valid_from`, because the time of the snapshot is not that of its change.
"""

from __future__ import annotations

from collections.abc import Iterable

from analytics.question import Question
from analytics.settings import INVENTORY, AnalyticsSettings
from analytics.tables.declarations import interval, reading, table
from flink_bridge.kafka.settings import KafkaSettings

ALERTS, CLOCK = "alerts_told", "event_clock"
_COLUMNS = {
    "inventory_computers": "name STRING, `role` STRING, site STRING, owner STRING, criticality STRING",
    "inventory_accounts": "name STRING, department STRING, privileged BOOLEAN",
}
_FORMAT = {
    "value.format": "debezium-json",
    "value.debezium-json.timestamp-format.standard": "ISO-8601",
}
_TOLD_LATER = 60.0  # seconds from an alert's last event until it is in the topic, beyond --max-lateness
# Rows of a snapshot are not in order of time: only its last row shows that all have arrived.
_OF_SNAPSHOT = "source_properties['snapshot'] <> 'false'"
_NOT_YET = "source_properties['snapshot'] NOT IN ('false', 'last', 'last_in_data_collection')"


def versions(name: str, settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> str:
    """A table of INVENTORY: all versions of its rows, by primary key and time."""
    body = (
        f"{_COLUMNS[name]},\n  valid_from TIMESTAMP_LTZ(3),\n  "
        "committed TIMESTAMP_LTZ(3) METADATA FROM 'value.source.timestamp' VIRTUAL,\n  "
        "source_properties MAP<STRING, STRING> METADATA FROM 'value.source.properties' VIRTUAL,\n  "
        f"version_time AS CASE WHEN {_OF_SNAPSHOT} THEN valid_from ELSE committed END,\n  "
        "WATERMARK FOR version_time AS "
        f"CASE WHEN {_NOT_YET} THEN TO_TIMESTAMP_LTZ(0, 3) ELSE committed END,\n  "
        "PRIMARY KEY (name) NOT ENFORCED"
    )
    # Always from the beginning, even if the events are not: a row may not have changed for long.
    beginning = {"topic": INVENTORY[name], "scan.startup.mode": "earliest-offset"}
    return table(name, body, reading(settings, kafka, prefix) | beginning | _FORMAT)


def alerts_told(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> list[str]:
    """The topic of alerts, with a row for each update.

    It has the alerts of analytics (column `rule`) and of detection (column `rule_id`).
    """
    body = (
        "`rule` STRING, rule_id STRING, subject STRING, id STRING, `group` MAP<STRING, STRING>,\n  "
        "`first` TIMESTAMP_LTZ(3), `last` TIMESTAMP_LTZ(3), events BIGINT, `count` BIGINT,\n  "
        "kind STRING, `level` STRING,\n  told TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,\n  "
        "alert_time AS COALESCE(`last`, `first`, told),\n  "
        f"WATERMARK FOR alert_time AS alert_time - {_patience(settings)}"
    )
    options = reading(settings, kafka, prefix) | {
        "topic": settings.topic_of("alerts"),
        "value.format": "json",
    }
    options |= {"value.json.ignore-parse-errors": "true", "value.json.timestamp-format.standard": "ISO-8601"}
    view = (
        f"CREATE TEMPORARY VIEW {ALERTS} AS SELECT\n  alert_time, `first`, `last`,\n  "
        "COALESCE(`rule`, rule_id) AS `rule`,\n  COALESCE(subject, id) AS subject,\n  "
        "COALESCE(events, `count`) AS counted,\n  "
        "COALESCE(kind, `level`) AS kind,\n  COALESCE(`group`['Computer'], subject) AS computer,\n  "
        "`group`['TargetUserName'] AS account\nFROM alert_documents"
    )
    return [table("alert_documents", body, options), view]


def event_clock(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> str:
    """The events; only their time is used."""
    body = (
        "line STRING,\n  event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',\n  "
        f"WATERMARK FOR event_time AS event_time - {_patience(settings)}"
    )
    return table(CLOCK, body, reading(settings, kafka, prefix) | {"value.format": "raw"})


def read_by(
    questions: Iterable[Question], settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str
) -> list[str]:
    """The tables of this module that these questions mention."""
    questions = list(questions)

    def asked(name: str) -> bool:
        return any(question.mentions(name) for question in questions)

    found = [versions(name, settings, kafka, prefix) for name in INVENTORY if asked(name)]
    found += alerts_told(settings, kafka, prefix) if asked(ALERTS) else []
    return [*found, *([event_clock(settings, kafka, prefix)] if asked(CLOCK) else [])]


def _patience(settings: AnalyticsSettings) -> str:
    return interval(settings.max_lateness + _TOLD_LATER)
