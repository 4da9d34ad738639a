"""Which rules an event matches: an index by channel and event id, one function for each that comes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from detection.matching.conditions import Check, Compiler, Known
from detection.matching.event_fields import Event, Shape, read_field, shape_of, system_field
from detection.matching.rule_set import Rule
from producer.events.line_rule import parse_object

_MOST_KINDS = 20_000  # of (channel, event id) remembered; an attacker may invent more

# The first fields of the flat shape as win-event-producer writes them: enough to know that no rule asks.
_HEAD = re.compile(
    rb'\{"timestamp":"[^"\\]{1,40}","level":"[^"\\]{0,40}",("source":"[^"\\]{1,200}","event_id":\d{1,9}),'
).match


class Hit(NamedTuple):
    """An event and the rules that it matches."""

    event: Event
    shape: Shape
    data: Event
    rules: list[Rule]

    def field(self, name: str) -> str:
        """The text of a field by its name in a rule; ABSENT when it is not there."""
        return read_field(self.shape, self.event, self.data, name)

    def reader(self, rule: Rule) -> Callable[[str], str]:
        """`field` with the names that the rule's log source has for these events."""
        source = rule.source_of(*kind_of(self.shape, self.event))
        renamed = source.renamed if source else {}
        return lambda name: self.field(renamed.get(name, name))


def kind_of(shape: Shape, event: Event) -> tuple[str, int]:
    """Channel in lower case, and event id; -1 when it is no number."""
    digits = system_field(shape, event, "EventID")
    event_id = int(digits) if len(digits) < 10 and digits.isdecimal() else -1
    return system_field(shape, event, "Channel").lower(), event_id


@dataclass
class Counts:
    """`rejected`: lines that are no JSON object, or no event of a known shape."""

    lines: int = 0
    rejected: int = 0


class Matcher:
    """Holds what it has compiled; not for several threads."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = list(rules)
        self._checks: dict[tuple[str, int], Check | None] = {}
        self._unasked: set[bytes] = set()  # heads of lines that no rule asks for
        self.counts = Counts()

    def hits(self, block: bytes) -> Iterator[Hit]:
        """The hits in a block of whole lines, in their order; empty lines are passed over."""
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        heads = self._heads(block, lines)
        if heads is None:
            for line in lines:
                if line and line != b"\r" and (hit := self._line(line, None)) is not None:
                    yield hit
            return
        unasked = self._unasked
        for line, head in zip(lines, heads, strict=True):
            if head in unasked:
                self.counts.lines += 1
            elif (hit := self._line(line, head)) is not None:
                yield hit

    def _heads(self, block: bytes, lines: list[bytes]) -> list[bytes] | None:
        """What the flat shape begins with, of every line; None when that is not to be trusted.

        Of two members of one name the second counts. When every line begins like the flat shape and there
        are no more members of these names than lines, no line has a second one.
        """
        matches = list(map(_HEAD, lines))
        if any(each is None for each in matches):
            return None
        if block.count(b'"event_id":') != len(lines) or block.count(b'"source":') != len(lines):
            return None
        return [each[1] for each in matches if each is not None]

    def _line(self, line: bytes, head: bytes | None) -> Hit | None:
        self.counts.lines += 1
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            event = parse_object(line)  # what the standard allows and orjson does not
        shape = shape_of(event) if isinstance(event, dict) else None
        if shape is None:
            self.counts.rejected += 1
            return None
        check = self._check(shape, event)
        if check is None:
            if head is not None and len(self._unasked) < _MOST_KINDS:
                self._unasked.add(head)
            return None
        data = shape.data(event)
        numbers = check(shape, event, data)
        return Hit(event, shape, data, [self._rules[number] for number in numbers]) if numbers else None

    def _check(self, shape: Shape, event: Event) -> Check | None:
        kind = kind_of(shape, event)
        try:
            return self._checks[kind]
        except KeyError:
            if len(self._checks) >= _MOST_KINDS:
                self._checks.clear()
            check = self._checks[kind] = self._compile(*kind)
            return check

    def _compile(self, channel: str, event_id: int) -> Check | None:
        compiler = Compiler(Known(channel, event_id if event_id >= 0 else None))
        for number, rule in enumerate(self._rules):
            source = rule.source_of(channel, event_id)
            if source is not None:
                compiler.add(number, rule.tree, source.renamed)
        return compiler.check()
