"""The shape of an event, and where that shape has the fields that every tool shows. Pure.

A line of one of the producer's four shapes is recognised by its fields. In any other shape, the fields are
found by the names that log shippers use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from producer.event_fields import INSERTS, KEY_FIELDS, TIMESTAMP_FIELDS
from producer.event_shapes import LEVELS, PATHS, Path, at, is_audit_of_nxlog, level_name
from producer.events.line_rule import first_of


@dataclass(frozen=True)
class FieldPaths:
    """The path of each field inside one shape of event.

    `data`: the path of EventData; () is the top level.
    """

    name: str
    timestamp: Path
    level: Path
    source: Path
    event_id: Path
    record_id: Path
    computer: Path
    message: Path
    outcome: Path = ()
    data: Path = ()


def _shape(name: str) -> FieldPaths:
    paths = PATHS[name]
    return FieldPaths(
        name, **{each.name: paths[each.name] for each in fields(FieldPaths) if each.name in paths}
    )


FLAT, WINLOGBEAT, NXLOG, WINEVTLOG = map(_shape, ("flat", "winlogbeat", "nxlog", "winevtlog"))
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
    "record_id": ("RecordID", "Event.System.EventRecordID", "data.win.system.eventRecordID", "RecordId"),
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
# The first key of the path that only this shape has.
_TELLING_KEYS = (("record_id", FLAT), ("winlog", WINLOGBEAT), ("EventRecordID", WINEVTLOG))
_NXLOG_KEY = "RecordNumber"


def shape_of(event: Mapping[str, Any]) -> FieldPaths | None:
    """The shape that has a record id in this event, or None."""
    for key, shape in _TELLING_KEYS:
        if key in event:
            return shape
    return NXLOG if _NXLOG_KEY in event else None


def field_text(event: dict[str, Any], shape: FieldPaths | None, name: str) -> str:
    """The text of a field at its place in the shape, or else under a name that log shippers use; or empty."""
    path = getattr(shape, name, ())
    value = at(event, path) if path else None
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list)):
        return first_of(event, ANYWHERE[name]) or ""
    return str(value)


def level_of(event: dict[str, Any], shape: FieldPaths | None) -> str:
    """The Windows name of the event's level; a word that Windows does not have stays, and none is empty."""
    if (shape or NXLOG) is NXLOG and is_audit_of_nxlog(event):
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
