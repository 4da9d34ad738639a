"""The place of each field in every JSON shape of a Windows event, and the names of levels. Pure.

The first four shapes are those of `win-event-producer --format`; the fifth is evtx_dump's. Every tool reads
events by this one table; event_fields.py has the names to look for in an unknown shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Path = tuple[str, ...]

PATHS: dict[str, dict[str, Path]] = {
    "flat": {
        "timestamp": ("timestamp",), "level": ("level",), "source": ("source",), "event_id": ("event_id",),
        "record_id": ("record_id",), "computer": ("computer",), "message": ("message",),
        "outcome": ("event_type",), "provider": ("provider",), "task": ("task",), "keywords": ("keywords",),
        "process_id": ("process_id",), "thread_id": ("thread_id",), "data": ("data",),
    },
    "winlogbeat": {
        "timestamp": ("@timestamp",), "level": ("log", "level"), "source": ("winlog", "channel"),
        "event_id": ("winlog", "event_id"), "record_id": ("winlog", "record_id"),
        "computer": ("winlog", "computer_name"), "message": ("message",), "outcome": ("winlog", "keywords"),
        "provider": ("winlog", "provider_name"), "task": ("winlog", "task"),
        "keywords": ("winlog", "keywords"), "process_id": ("winlog", "process", "pid"),
        "thread_id": ("winlog", "process", "thread", "id"), "data": ("winlog", "event_data"),
    },
    "nxlog": {
        "timestamp": ("EventTime",), "level": ("Severity",), "source": ("Channel",),
        "event_id": ("EventID",), "record_id": ("RecordNumber",), "computer": ("Hostname",),
        "message": ("Message",), "outcome": ("EventType",), "provider": ("SourceName",),
        "task": ("Category",), "process_id": ("ExecutionProcessID",), "thread_id": ("ThreadID",),
    },
    "winevtlog": {
        "timestamp": ("TimeCreated",), "level": ("Level",), "source": ("Channel",),
        "event_id": ("EventID",), "record_id": ("EventRecordID",), "computer": ("Computer",),
        "message": ("Message",), "outcome": ("Keywords",), "provider": ("ProviderName",), "task": ("Task",),
        "keywords": ("Keywords",), "process_id": ("ProcessID",), "thread_id": ("ThreadID",),
    },
    "evtx_dump": {
        "timestamp": ("Event", "System", "TimeCreated", "#attributes", "SystemTime"),
        "level": ("Event", "System", "Level"), "source": ("Event", "System", "Channel"),
        "event_id": ("Event", "System", "EventID"), "record_id": ("Event", "System", "EventRecordID"),
        "computer": ("Event", "System", "Computer"), "message": ("message",),
        "outcome": ("Event", "System", "Keywords"),
        "provider": ("Event", "System", "Provider", "#attributes", "Name"),
        "task": ("Event", "System", "Task"), "keywords": ("Event", "System", "Keywords"),
        "process_id": ("Event", "System", "Execution", "#attributes", "ProcessID"),
        "thread_id": ("Event", "System", "Execution", "#attributes", "ThreadID"),
        "data": ("Event", "EventData"),
    },
}  # fmt: skip
"""Shape -> field -> path. `outcome`: the field that says whether an audited action succeeded. Without `data`,
EventData is at the top level, or by position (`StringInserts`)."""

# A field -> the shape that has it; the first that is there tells the shape.
_TELLING = {
    "record_id": "flat", "winlog": "winlogbeat", "event_id": "flat", "Event": "evtx_dump",
    "EventRecordID": "winevtlog", "StringInserts": "winevtlog", "EventID": "nxlog", "RecordNumber": "nxlog",
}  # fmt: skip

# NXLog, winevtlog and the Windows API write these as numbers.
LEVELS = {0: "Information", 1: "Critical", 2: "Error", 3: "Warning", 4: "Information", 5: "Verbose"}
LEVEL_WORDS = {
    "critical": "Critical", "error": "Error", "warning": "Warning", "warn": "Warning",
    "information": "Information", "info": "Information", "verbose": "Verbose", "debug": "Verbose",
}  # fmt: skip
"""A level in lower case, also one of Syslog's -> its name in Windows."""
# From the most severe, as Windows numbers them; 0 is shown as Information, too, and comes last.
SEVERITY = tuple(LEVELS[number] for number in (1, 2, 3, 4, 5))
LEVEL_NAMES = LEVEL_WORDS | {str(number): name for number, name in LEVELS.items()}
"""A level as any writer writes it, in lower case -> its name in Windows."""


def shape_of(event: Mapping[str, Any]) -> str | None:
    """The name of the event's shape in PATHS; None if it is in none of them."""
    return next((shape for field, shape in _TELLING.items() if field in event), None)


def level_name(level: str) -> str:
    """The Windows name of a level, from that name in any case, a Syslog word or the number."""
    return LEVEL_NAMES.get(level.lower(), level)


def is_audit_of_nxlog(event: Mapping[str, Any]) -> bool:
    """Whether it is an audit. NXLog calls a failed one an error; its level in Windows is Information."""
    kind = event.get("EventType")
    return isinstance(kind, str) and "AUDIT" in kind.upper()  # Fluent Bit's winlog writes FailureAudit


def at(event: Any, path: Iterable[str]) -> Any:
    """The value at `path`, or None when it is not there."""
    for step in path:
        if not isinstance(event, dict):
            return None
        event = event.get(step)
    return event
