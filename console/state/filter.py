"""Decides which events a viewer sees: words that must occur, `field:value` pairs, levels. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from console.state.event import Event

MAX_TEXT = 200  # characters
_FIELDS: dict[str, Callable[[Event], str]] = {
    "level": lambda event: event.level,
    "source": lambda event: event.source,
    "event_id": lambda event: event.event_id,
    "computer": lambda event: event.computer,
}


@dataclass(frozen=True)
class Filter:
    """An event must match everything. A word is searched in the line, also in its escaped JSON form."""

    words: tuple[tuple[bytes, ...], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    levels: frozenset[str] = frozenset()

    def __call__(self, event: Event) -> bool:
        if self.levels and event.level not in self.levels:
            return False
        if any(_FIELDS[name](event).lower() != value for name, value in self.pairs):
            return False
        line = event.value.lower() if self.words else b""
        return all(any(spelling in line for spelling in word) for word in self.words)

    def __bool__(self) -> bool:
        return bool(self.words or self.pairs or self.levels)


def parse_filter(text: str, levels: frozenset[str] = frozenset()) -> Filter:
    """Parse `4625 computer:DC-010.corp.example`; the fields are level, source, event_id, computer."""
    words, pairs = [], []
    for term in text[:MAX_TEXT].split():
        name, colon, value = term.partition(":")
        if colon and name.lower() in _FIELDS:
            pairs.append((name.lower(), value.lower()))
        else:
            words.append(_spellings(term))
    return Filter(tuple(words), tuple(pairs), levels)


def _spellings(word: str) -> tuple[bytes, ...]:
    plain = json.dumps(word, ensure_ascii=False)[1:-1]
    escaped = json.dumps(word)[1:-1]
    return tuple({text.lower().encode("utf-8", "replace") for text in (plain, escaped)})
