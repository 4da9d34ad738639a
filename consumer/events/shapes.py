"""Where the JSON shapes of a Windows event keep the same fields: pure values.

The four shapes are those of `win-event-producer --format`. Which one a line has is told from the line itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]

# What NXLog, winevtlog and the Windows API print as a number.
LEVELS = {0: "Information", 1: "Critical", 2: "Error", 3: "Warning", 4: "Information", 5: "Verbose"}


@dataclass(frozen=True)
class Shape:
    """The path of each field inside one shape of event."""

    name: str
    timestamp: Path
    level: Path
    source: Path
    event_id: Path
    record_id: Path
    computer: Path
    message: Path = ("message",)


FLAT = Shape("flat", ("timestamp",), ("level",), ("source",), ("event_id",), ("record_id",), ("computer",))
WINLOGBEAT = Shape(
    "winlogbeat",
    ("@timestamp",),
    ("log", "level"),
    ("winlog", "channel"),
    ("winlog", "event_id"),
    ("winlog", "record_id"),
    ("winlog", "computer_name"),
)
NXLOG = Shape(
    "nxlog",
    ("EventTime",),
    ("Severity",),
    ("Channel",),
    ("EventID",),
    ("RecordNumber",),
    ("Hostname",),
    ("Message",),
)
WINEVTLOG = Shape(
    "winevtlog",
    ("TimeCreated",),
    ("Level",),
    ("Channel",),
    ("EventID",),
    ("EventRecordID",),
    ("Computer",),
    ("Message",),
)
# The first key of the path that only this shape has.
_TELLING_KEYS = (("record_id", FLAT), ("winlog", WINLOGBEAT), ("EventRecordID", WINEVTLOG))
_NXLOG_KEY = "RecordNumber"


def shape_of(event: Mapping[str, Any]) -> Shape | None:
    """The shape that has this event's record id, or None when none does."""
    for key, shape in _TELLING_KEYS:
        if key in event:
            return shape
    return NXLOG if _NXLOG_KEY in event else None


def field(event: Mapping[str, Any], path: Path) -> Any:
    """The value at `path`, or None when it is not there."""
    value: Any = event
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
