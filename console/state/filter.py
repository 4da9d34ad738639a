"""Decides which events a viewer sees: words that must occur, `field:value` pairs, levels. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from console.state.event import Event

MAX_TEXT = 200  # characters
_ESCAPES = re.compile(r"(?:\\u[dD][89abAB]..)?\\(?:u....|.)")  # a pair of surrogates, or one escape
_FIELDS: dict[str, Callable[[Event], str]] = {
    "level": lambda event: event.level,
    "source": lambda event: event.source,
    "event_id": lambda event: event.event_id,
    "computer": lambda event: event.computer,
}


@dataclass(frozen=True)
class Filter:
    """An event must match everything. A word is searched in the line without case and escapes."""

    words: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    levels: frozenset[str] = frozenset()

    def __call__(self, event: Event) -> bool:
        if self.levels and event.level not in self.levels:
            return False
        if any(_FIELDS[name](event).lower() != value for name, value in self.pairs):
            return False
        line = _text(event.value) if self.words else ""
        return all(word in line for word in self.words)

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
            words.append(_escaped(term).casefold())
    return Filter(tuple(words), tuple(pairs), levels)


def _text(line: bytes) -> str:
    """The line without case, and with only those escapes that JSON needs."""
    text = line.decode("utf-8", "replace")
    if "\\u" in text:
        text = _ESCAPES.sub(lambda escape: _only_needed(escape[0]), text)
    return text.casefold()


@lru_cache(1024)
def _only_needed(escape: str) -> str:
    try:
        return _escaped(json.loads(f'"{escape}"'))
    except ValueError:  # the line is no JSON
        return escape


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
