"""An event of any shape, read by the field names that Sigma rules use. Pure.

EventData has the names of Windows. The fields of the System element have one name for all shapes; a name with
dots is a path in the event (`winlog.channel`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from producer.event_fields import KEY_FIELDS, TEXT_MEMBER, TIMESTAMP_FIELDS
from producer.event_shapes import LEVELS, PATHS, Path, at, is_audit_of_nxlog, level_name, shape_of
from producer.events.event_time import EPOCH, TICKS, read_ticks
from producer.events.line_rule import first_of

Event = dict[str, Any]

ABSENT = "\udfff"
"""Means a missing field. It is half of a surrogate pair, so no event and no rule has it."""

# NXLog writes the fields of EventData among these, which are fields of the event or its own.
_OF_NXLOG = {
    "AccountName", "AccountType", "ActivityID", "Category", "Channel", "Domain", "EventID",
    "EventReceivedTime", "EventTime", "EventType", "ExecutionProcessID", "ExecutionThreadID",
    "Hostname", "Keywords", "Message", "Opcode", "OpcodeValue", "ProcessID", "ProviderGuid",
    "RecordNumber", "RelatedActivityID", "Severity", "SeverityValue", "SourceModuleName",
    "SourceModuleType", "SourceName", "Task", "TaskValue", "ThreadID", "UserID", "Version", "labels",
}  # fmt: skip
_FIRST = (86_400 - EPOCH) * TICKS  # the first day has the number 1
_END = _FIRST + 3_652_059 * 86_400 * TICKS  # the days of 9999 years
# Other names of the same fields in rules and pipelines.
ALIASES = {
    "source": "Channel", "event_id": "EventID", "computer": "Computer", "ComputerName": "Computer",
    "provider": "Provider_Name", "Provider": "Provider_Name", "SourceName": "Provider_Name",
    "record_id": "EventRecordID", "level": "Level", "timestamp": "TimeCreated", "message": "Message",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Where one shape of event has its fields.

    `paths`: the paths of the System fields. `data`: the EventData by name.
    """

    name: str
    paths: Mapping[str, Path]
    data: Callable[[Event], Event]
    special: Mapping[str, Callable[[Event], Any]] = field(default_factory=dict)


def text(value: Any) -> str:
    """A value as text, as rules compare it: ABSENT for null, a list's elements with spaces between."""
    if isinstance(value, str):
        return value
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return _inner_text(value) if isinstance(value, dict | list) else str(value)


def _inner_text(value: Any) -> str:
    """The text of an object or a list. Not recursive: a line may nest deeper than Python may call."""
    several, found, waiting = isinstance(value, list), [], [value]
    while waiting:
        each = waiting.pop()
        while isinstance(each, dict):
            each = each.get(TEXT_MEMBER)
            several |= isinstance(each, list)
        if isinstance(each, list):
            waiting += reversed(each)
        elif (part := text(each)) is not ABSENT:
            found.append(part)
    return " ".join(found) if found or several else ABSENT


def level(value: Any) -> str:
    """The Windows name of a level, from that name in any case, a Syslog word or the number."""
    return level_name(text(value))


def system_field(shape: Shape, event: Event, name: str) -> str:
    """The text of a System field, or of a field whose name is a path; ABSENT if it is missing."""
    if (special := shape.special.get(name)) is not None:
        return text(special(event))
    if (path := shape.paths.get(name)) is not None:
        return text(at(event, path))
    value = at(event, name.split("."))
    return text(event.get(name) if value is None else value)


def is_system_field(name: str) -> bool:
    return name in _SYSTEM or "." in name


def read_field(shape: Shape, event: Event, data: Event, name: str) -> str:
    """The text of any field by its name in a rule."""
    name = ALIASES.get(name, name)
    return system_field(shape, event, name) if is_system_field(name) else text(data.get(name))


def full_text(shape: Shape, event: Event, data: Event) -> str:
    """The text for keywords: the message, and every value of EventData on a separate line."""
    own = _OF_NXLOG if data is event else ()
    values = [text(value) for name, value in data.items() if name not in own]
    return "\n".join(part for part in (system_field(shape, event, "Message"), *values) if part is not ABSENT)


def event_time(event: Event) -> str | None:
    """The text of the event's time."""
    return first_of(event, TIMESTAMP_FIELDS)


def event_ticks(event: Event) -> int | None:
    """The event's time in ticks; None if it has none, or one outside of the years 1 to 9999."""
    moment = event_time(event)
    ticks = read_ticks(moment) if moment else None
    return ticks if ticks is not None and _FIRST <= ticks < _END else None


def event_computer(event: Event) -> str:
    """The computer that wrote the event; empty if it does not say."""
    return first_of(event, KEY_FIELDS) or ""


def _member(event: Event, name: str) -> Event:
    found = event.get(name)
    return found if isinstance(found, dict) else {}


def _winlogbeat_data(event: Event) -> Event:
    winlog = _member(event, "winlog")
    return _member(winlog, "event_data") or _member(winlog, "user_data")


def _evtx_data(event: Event) -> Event:
    """EventData, or the content of UserData's only element."""
    inner = _member(event, "Event")
    if data := _member(inner, "EventData"):
        return data
    return next((value for value in _member(inner, "UserData").values() if isinstance(value, dict)), {})


def _nxlog_level(event: Event) -> str:
    return LEVELS[0] if is_audit_of_nxlog(event) else level(event.get("Severity"))


def _nxlog_keywords(event: Event) -> Any:
    value = event.get("Keywords")
    return f"0x{value % 2**64:x}" if isinstance(value, int) else value


def _inserts(event: Event) -> Event:
    """The values of winevtlog, which have no names: named for known event types, else param1, param2, …"""
    from detection.matching.insert_names import insert_names

    values = event.get("StringInserts")
    if not isinstance(values, list):
        return _member(event, "EventData")
    channel, number, provider = event.get("Channel"), event.get("EventID"), event.get("ProviderName")
    names = insert_names(channel, number, provider, event.get("Version"))
    names += tuple(f"param{place + 1}" for place in range(len(names), len(values)))
    return dict(zip(names, values, strict=False))


# Names of the fields of the System element in rules.
_NAMES = {
    "EventID": "event_id", "Channel": "source", "Provider_Name": "provider", "Computer": "computer",
    "EventRecordID": "record_id", "Task": "task", "Keywords": "keywords",
    "Execution_ProcessID": "process_id", "Execution_ThreadID": "thread_id", "TimeCreated": "timestamp",
    "Message": "message",
}  # fmt: skip


def _shape(name: str, data: Callable[[Event], Event], **special: Callable[[Event], Any]) -> Shape:
    paths = PATHS[name]
    levels = {"Level": lambda event: level(at(event, paths["level"]))}
    known = {rule: paths[field] for rule, field in _NAMES.items() if field in paths}
    return Shape(name, known, data, levels | special)


FLAT = _shape("flat", lambda event: _member(event, "data"))
WINLOGBEAT = _shape("winlogbeat", _winlogbeat_data)
NXLOG = _shape("nxlog", lambda event: event, Level=_nxlog_level, Keywords=_nxlog_keywords)
WINEVTLOG = _shape("winevtlog", _inserts)
EVTX_DUMP = _shape("evtx_dump", _evtx_data)
_SYSTEM = {*FLAT.paths, "Level"}


_SHAPES = {each.name: each for each in (FLAT, WINLOGBEAT, NXLOG, WINEVTLOG, EVTX_DUMP)}


def rule_shape(event: Event) -> Shape | None:
    """Where rules find the fields of this event; None if its shape is unknown."""
    name = shape_of(event)
    return _SHAPES[name] if name else None
