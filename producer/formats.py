"""The JSON shapes of an event. Each function lays out the document of one event type once, with slots.

`late.timestamp` and then `late.record_id` must come before every slot that changes from event to event:
these two are known only when the line is written, all that follows is rendered when its story is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producer.event_catalogue import EventType

Document = dict[str, Any]
SLOT = re.compile(r'\\u0001(.+?)\\u0002|"\\u0003(.+?)\\u0004"')  # as json.dumps writes them


def text_slot(name: str) -> str:
    return f"\x01{name}\x02"


def number_slot(name: str) -> str:
    """A slot that stands in the document without quotes."""
    return f"\x03{name}\x04"


def flat(event_type: EventType, data: dict[str, str], message: str) -> Document:
    """The default shape: the portable field names, EventData under `data`."""
    return {
        "timestamp": text_slot("late.timestamp"),
        "level": event_type.level_name,
        "source": event_type.channel,
        "event_id": event_type.event_id,
        "event_type": event_type.event_type,
        "record_id": number_slot("late.record_id"),
        "computer": text_slot("host.name"),
        "provider": event_type.provider,
        "task": event_type.task_name,
        "keywords": f"0x{event_type.keywords:x}",
        "process_id": number_slot(f"host.pid.{event_type.process}"),
        "thread_id": number_slot("event.tid"),
        "data": data,
        "message": message,
    }


# where computer, source and record id stand
_IDENTITY = {"flat": (("computer",), ("source",), ("record_id",))}


def identify(document: Document, fmt: str) -> tuple[str, str, int] | None:
    """(computer, source, record id) of an event in this shape; None for a document of another shape."""
    found = []
    for path in _IDENTITY[fmt]:
        value: Any = document
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        found.append(value)
    computer, source, record_id = found
    if isinstance(computer, str) and isinstance(source, str) and type(record_id) is int:
        return computer, source, record_id
    return None


FORMATS: dict[str, Callable[[EventType, dict[str, str], str], Document]] = {"flat": flat}
