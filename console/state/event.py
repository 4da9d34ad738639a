"""One record of the events topic, with the fields that are counted, filtered and shown. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, NamedTuple

import orjson

from producer.event_shapes import SEVERITY, shape_of
from producer.events.any_shape import data_field, field_text, level_of

LEVELS = SEVERITY
OTHER = "Other"


class Event(NamedTuple):
    """`sequence` counts the events that this console has read.

    `arrived` is in seconds since the epoch, by its clock.
    """

    sequence: int
    partition: int
    offset: int
    arrived: float
    level: str
    source: str
    event_id: str
    computer: str
    time: str
    value: bytes


def read_event(sequence: int, partition: int, offset: int, arrived: float, value: bytes) -> Event:
    """Never fails: a record that is no JSON object is an event of level Other."""
    document = parse(value)
    shape = shape_of(document)
    level = level_of(document, shape)
    return Event(
        sequence,
        partition,
        offset,
        arrived,
        level if level in LEVELS else OTHER,
        field_text(document, shape, "source"),
        field_text(document, shape, "event_id"),
        field_text(document, shape, "computer"),
        field_text(document, shape, "timestamp"),
        value,
    )


def parse(value: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def message(event: Event) -> str:
    document = parse(event.value)
    return field_text(document, shape_of(document), "message")


def logon_account(event: Event) -> str:
    """The account that logged on, or tried to, in an event 4624 or 4625."""
    return data_field(parse(event.value), ("TargetUserName",), int(event.event_id))


def latency(event: Event) -> float | None:
    """Seconds from the event's own time to its arrival here; None without a time that can be read."""
    happened = seconds(event.time)
    return None if happened is None else event.arrived - happened


def seconds(text: str) -> float | None:
    """2026-11-21T09:28:24.1778590Z as seconds since the epoch; None if it is not in UTC or no time."""
    if not text.endswith("Z"):
        return None
    whole, _, fraction = text[:-1].partition(".")
    try:
        moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        return moment.timestamp() + (float(f"0.{fraction}") if fraction.isdecimal() else 0.0)
    except ValueError:
        return None
