"""The fields that every tool shows, from an event of any shape. Pure.

In a shape that is not in event_shapes.py, they are found by the names that log shippers use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from producer.event_fields import INSERTS, KEY_FIELDS, TIMESTAMP_FIELDS
from producer.event_shapes import LEVELS, PATHS, Path, at, is_audit_of_nxlog, level_name
from producer.events.line_rule import first_of

# Names of the same fields in other shapes; the first one that is present is used.
ANYWHERE: dict[str, tuple[str, ...]] = {
    "timestamp": TIMESTAMP_FIELDS,
    "computer": KEY_FIELDS,
    "level": ("level", "log.level", "Level", "Event.System.Level", "LevelDisplayName", "Severity",
              "EventType", "data.win.system.level"),
    "source": ("Channel", "winlog.channel", "Event.System.Channel", "data.win.system.channel", "LogName",
               "source"),
    "event_id": ("event_id", "EventID", "winlog.event_id", "Event.System.EventID", "data.win.system.eventID",
                 "event.code", "Id"),
    "record_id": ("RecordID", "RecordNumber", "Event.System.EventRecordID", "data.win.system.eventRecordID",
                  "RecordId"),
    "message": ("message", "Message", "RuleTitle", "data.win.system.message"),
    "outcome": ("EventType", "data.win.system.severityValue", "event.outcome", "winlog.keywords"),
}  # fmt: skip
_DATA_PLACES: tuple[Path, ...] = (
    ("data",),
    ("winlog", "event_data"),
    ("Event", "EventData"),
    ("data", "win", "eventdata"),
    (),
)


def field_text(event: dict[str, Any], shape: str | None, name: str) -> str:
    """The text of a field at its place in the shape, or else under a name that log shippers use; or empty.

    `shape` as of shape_of; `name` is one of ANYWHERE.
    """
    path = PATHS[shape].get(name) if shape else None
    value = at(event, path) if path else None
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list)):
        return first_of(event, ANYWHERE[name]) or ""
    return str(value)


def level_of(event: dict[str, Any], shape: str | None) -> str:
    """The Windows name of the event's level; a word that Windows does not have stays, and none is empty."""
    if shape in (None, "nxlog") and is_audit_of_nxlog(event):
        return LEVELS[0]
    return level_name(field_text(event, shape, "level"))


def data_field(event: Mapping[str, Any], names: Sequence[str], event_id: int) -> str:
    """The first text of EventData that has one of these Windows names; empty if all are missing."""
    inserts = event.get("StringInserts")
    if isinstance(inserts, list):  # Fluent Bit writes EventData by position
        return next((text for name in names if (text := _inserted(inserts, name, event_id))), "")
    places = [place for path in _DATA_PLACES if isinstance(place := at(event, path), dict)]
    for name in names:
        small = name[:1].lower() + name[1:]  # as Wazuh writes it
        for place in places:
            if text := _said(place.get(name)) or _said(place.get(small)):
                return text
    return ""


def _inserted(inserts: Sequence[Any], name: str, event_id: int) -> str:
    for position, events in INSERTS.get(name, {}).items():
        if event_id in events and position <= len(inserts):
            return _said(inserts[position - 1])
    return ""


def _said(value: Any) -> str:
    """The text; empty for `-`, which Windows writes for "no value"."""
    return value if isinstance(value, str) and value != "-" else ""
