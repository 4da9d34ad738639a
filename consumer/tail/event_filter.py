"""Decides which events are shown. Pure: `now` is a parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

import orjson

from consumer.events.event_view import EventView
from producer.event_shapes import SEVERITY, level_name
from producer.events.event_time import to_milliseconds

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"(\d+)([smhd])").fullmatch


class FilterError(ValueError):
    """A filter value that makes no sense; the text says which."""


class Where(NamedTuple):
    """A condition, `PATH=PATTERN` or `PATH!=PATTERN`.

    PATH is a field by its common name or its path; PATTERN is a shell pattern.
    """

    path: str
    pattern: str
    equal: bool

    def matches(self, event: EventView) -> bool:
        value = event.value(self.path)
        text = value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
        return fnmatchcase(text.lower(), self.pattern) == self.equal


@dataclass(frozen=True)
class EventFilter:
    """An event must match every given filter; an empty filter matches all."""

    levels: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()
    event_ids: frozenset[int] = frozenset()
    computers: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    where: tuple[Where, ...] = ()
    grep: re.Pattern[str] | None = None
    since_ms: int | None = None

    def __bool__(self) -> bool:
        return self != _EVERYTHING

    def matches(self, event: EventView, line: bytes) -> bool:
        return (
            (not self.levels or event.level in self.levels)
            and (not self.sources or _any_matches(event.source, self.sources))
            and (not self.event_ids or event.event_id in self.event_ids)
            and (not self.computers or _any_matches(event.computer, self.computers))
            and (not self.event_types or _is_type(event.event_type, self.event_types))
            and (not self.accounts or _any_is(event.account, self.accounts))
            and (not self.addresses or _any_is(event.address, self.addresses))
            and all(each.matches(event) for each in self.where)
            and (self.since_ms is None or (to_milliseconds(event.timestamp.encode()) or 0) >= self.since_ms)
            and (self.grep is None or self.grep.search(_readable(event, line)) is not None)
        )


_EVERYTHING = EventFilter()


def parse_levels(words: tuple[str, ...]) -> frozenset[str]:
    """Parse `error`, `error,warning` or `warning+` (this and worse). Raises FilterError."""
    levels: set[str] = set()
    for word in _split(words):
        name = level_name(word.removesuffix("+"))
        if name not in SEVERITY:
            raise FilterError(f"level {word!r}: expected {', '.join(SEVERITY)}, or one of them with a +")
        levels.update(SEVERITY[: SEVERITY.index(name) + 1] if word.endswith("+") else (name,))
    return frozenset(levels)


def parse_names(words: tuple[str, ...]) -> tuple[str, ...]:
    """Names or shell patterns, separated by commas or by repeating the option; case does not matter."""
    return tuple(word.lower() for word in _split(words))


def parse_where(texts: tuple[str, ...]) -> tuple[Where, ...]:
    """Texts like `data.IpAddress=203.0.113.*`; case does not matter. Raises FilterError."""
    found = []
    for text in texts:
        path, equals, pattern = text.partition("=")
        if not equals or not path.strip("! "):
            raise FilterError(
                f"--where {text!r}: expected FIELD=VALUE or FIELD!=VALUE, as in data.LogonType=3"
            )
        equal = not path.endswith("!")
        found.append(Where(path.removesuffix("!").strip(), pattern.strip().lower(), equal))
    return tuple(found)


def parse_ids(words: tuple[str, ...]) -> frozenset[int]:
    """Raises FilterError."""
    ids = _split(words)
    for word in ids:
        if not (word.isascii() and word.isdecimal()):
            raise FilterError(f"event id {word!r}: expected a number")
    return frozenset(map(int, ids))


def parse_since(text: str, now_ms: int) -> int:
    """The time in milliseconds: `15m`, `2h`, `1d` ago, or 2026-11-21T09:00:00Z. Raises FilterError."""
    if span := _SPAN(text):
        return now_ms - int(span[1]) * _UNIT_MS[span[2]]
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += "T00:00:00"
    moment = to_milliseconds(text.encode())
    if moment is None:
        raise FilterError(f"time {text!r}: expected 30s, 15m, 2h, 1d, or a time like 2026-11-21T09:00:00Z")
    return moment


def _split(words: tuple[str, ...]) -> list[str]:
    return [word.strip() for words_of_one in words for word in words_of_one.split(",") if word.strip()]


def _any_matches(value: str, patterns: tuple[str, ...]) -> bool:
    # A computer also matches by its name without the domain.
    value = value.lower()
    short = value.partition(".")[0]
    return any(fnmatchcase(value, pattern) or fnmatchcase(short, pattern) for pattern in patterns)


def _any_is(value: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(value.lower(), pattern) for pattern in patterns)


def _is_type(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether the event has one of these types; `failure` is enough for Audit Failure."""
    return _any_is(value, patterns) or _any_is(value.rpartition(" ")[2], patterns)


def _readable(event: EventView, line: bytes) -> str:
    """The line as text, its \\uXXXX escapes undone."""
    return (orjson.dumps(event.event) if b"\\u" in line else line).decode("utf-8", "replace")
