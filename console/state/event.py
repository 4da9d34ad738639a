"""One record of the events topic, with the fields that are counted, filtered and shown. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, NamedTuple

import orjson

LEVELS = ("Critical", "Error", "Warning", "Information", "Verbose")
OTHER = "Other"
_ACCOUNT = "TargetUserName"
# The shapes that the bridge knows have different field names: the first path that is present is used.
_PATHS: dict[str, tuple[tuple[str | int, ...], ...]] = {
    "time": (("timestamp",), ("@timestamp",), ("EventTime",), ("TimeCreated",)),
    "level": (("level",), ("log", "level"), ("Severity",), ("Level",)),
    "source": (("source",), ("winlog", "channel"), ("Channel",)),
    "event_id": (("event_id",), ("winlog", "event_id"), ("EventID",)),
    "computer": (("computer",), ("winlog", "computer_name"), ("Hostname",), ("Computer",)),
    "message": (("message",), ("Message",)),
    # The sixth insert of 4624 and of 4625.
    "account": (("data", _ACCOUNT), ("winlog", "event_data", _ACCOUNT), (_ACCOUNT,), ("StringInserts", 5)),
}
_LEVEL_NAMES = {name.lower(): name for name in LEVELS} | {
    "info": "Information", "information": "Information", "warn": "Warning", "debug": "Verbose",
    "1": "Critical", "2": "Error", "3": "Warning", "4": "Information", "0": "Information", "5": "Verbose",
}  # fmt: skip


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
    level = _LEVEL_NAMES.get(_field(document, "level").lower(), OTHER)
    return Event(
        sequence,
        partition,
        offset,
        arrived,
        level,
        _field(document, "source"),
        _field(document, "event_id"),
        _field(document, "computer"),
        _field(document, "time"),
        value,
    )


def parse(value: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def message(event: Event) -> str:
    return _field(parse(event.value), "message")


def logon_account(event: Event) -> str:
    """The account that logged on, or tried to, in an event 4624 or 4625."""
    return _field(parse(event.value), "account")


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


def _field(document: dict[str, Any], name: str) -> str:
    for path in _PATHS[name]:
        found: Any = document
        for key in path:
            if isinstance(found, dict):
                found = found.get(key)
            else:
                known = isinstance(found, list) and isinstance(key, int) and key < len(found)
                found = found[key] if known else None
        if found is not None and not isinstance(found, (dict, list)):
            return str(found)
    return ""
