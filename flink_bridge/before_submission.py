"""The checks before a job is submitted: Flink's version, Kafka, other jobs."""

from __future__ import annotations

from dataclasses import replace

from flink_bridge.flink_cluster import flink_version, running_twins, slot_notes
from flink_bridge.kafka import preflight
from flink_bridge.kafka.limits import topic_limits
from flink_bridge.kafka.preflight import PreflightError
from flink_bridge.kafka.topic_facts import TopicFacts, read_topic_facts
from flink_bridge.settings import BridgeSettings

TESTED_FLINK = ("2.2",)
"""Flink versions, up to the minor one, that the Java in jvm/ was tested with."""


_DEFAULT_LIMITS = (
    "note: the settings of the topics were not read, so the job assumes Kafka's defaults: records of at most "
    "1 MiB, kept for 7 days"
)


def look_before(settings: BridgeSettings, prefix: str, check: bool) -> tuple[BridgeSettings, list[str]]:
    """The settings with the topics' limits, and notes for the user. Raises PreflightError."""
    notes = version_notes(flink_version()) + _twin_notes(settings)
    if not check:
        return _with_default_limits(settings, prefix), [*notes, _DEFAULT_LIMITS]
    notes += slot_notes("--sink-parallelism", settings.sink_parallelism or 1)
    if unchecked := preflight.check(settings, prefix):
        return _with_default_limits(settings, prefix), [*notes, unchecked, _DEFAULT_LIMITS]
    facts = read_topic_facts(settings, prefix)
    return _with_limits(settings, facts), notes + facts.notes


def _with_default_limits(settings: BridgeSettings, prefix: str) -> BridgeSettings:
    limits = topic_limits({}, settings.kafka.producer_properties(prefix))
    return replace(settings, limits=limits, rejected_limits=limits)


def version_notes(version: str) -> list[str]:
    if version.startswith(tuple(f"{tested}." for tested in TESTED_FLINK)):
        return []
    tested = ", ".join(TESTED_FLINK)
    return [
        f"warning: this is Flink {version}; the bridge was tested with {tested}: "
        "flink_bridge/jvm/README.md says what to check"
    ]


def _twin_notes(settings: BridgeSettings) -> list[str]:
    twins = running_twins(settings.name)
    if not twins:
        return []
    text = f"a job called {settings.name!r} runs already ({', '.join(twins)})"
    if settings.delivery == "exactly-once":
        raise PreflightError(
            f"{text}, and both would end each other's transactions: flink stop {twins[0]} first, or give "
            "this one another --job-name and --transactional-id-prefix"
        )
    return [
        f"warning: {text}: both read every line, so each event arrives twice; flink cancel {twins[0]} ends it"
    ]


def _with_limits(settings: BridgeSettings, facts: TopicFacts) -> BridgeSettings:
    return replace(settings, limits=facts.limits, rejected_limits=facts.rejected_limits)
