"""One event as a person looks at it, whatever shape it has on the wire. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from consumer.events.shapes import FLAT, LEVELS, field, shape_of
from producer.events.line_rule import parse_object

_LEVEL_WORDS = {
    "critical": "Critical",
    "error": "Error",
    "warning": "Warning",
    "information": "Information",
    "info": "Information",
    "verbose": "Verbose",
    "debug": "Verbose",
}


class EventView(NamedTuple):
    """The fields that filters and the short form need; absent ones are empty, ids 0."""

    event: dict[str, Any]
    timestamp: str
    level: str
    source: str
    computer: str
    event_id: int
    record_id: int
    message: str

    def value(self, path: str) -> Any:
        """A field by its common name (level, event_id, …) or by its dotted path in the line."""
        if path in _COMMON:
            return getattr(self, path)
        return field(self.event, tuple(path.split(".")))


_COMMON = ("timestamp", "level", "source", "computer", "event_id", "record_id", "message")


def view(line: bytes) -> EventView | None:
    """None when the line is not a JSON object."""
    event = parse_object(line)
    if event is None:
        return None
    shape = shape_of(event) or FLAT
    return EventView(
        event,
        _text(field(event, shape.timestamp)),
        level_name(field(event, shape.level)),
        _text(field(event, shape.source)),
        _text(field(event, shape.computer)),
        _number(field(event, shape.event_id)),
        _number(field(event, shape.record_id)),
        _text(field(event, shape.message)),
    )


def level_name(level: Any) -> str:
    """The Windows name of a level, from that name in any case, Syslog-like words or the number."""
    if isinstance(level, int):
        return LEVELS.get(level, str(level))
    return _LEVEL_WORDS.get(str(level).lower(), str(level)) if level else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:19])
    return value if isinstance(value, int) else 0
