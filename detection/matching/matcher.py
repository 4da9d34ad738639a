"""Which rules an event matches: an index by channel and event id, one function for each that comes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from detection.matching.conditions import Check, Compiler, Known
from detection.matching.event_fields import FLAT, Event, Shape, read_field, shape_of, system_field
from detection.matching.log_sources import Source
from detection.matching.preselection import Needs, Preselection, needs_of, preselected
from detection.matching.rule_set import Rule
from producer.events.line_rule import parse_object

_MOST_KINDS = 20_000  # of (channel, event id) remembered; an attacker may invent more

# The first fields of the flat shape as win-event-producer writes them: enough to know that no rule asks.
_HEAD = re.compile(
    rb'\{"timestamp":"[^"\\]{1,40}","level":"[^"\\]{0,40}",("source":"[^"\\]{1,200}","event_id":\d{1,9}),'
).match


_MANY = 32  # rules for one kind of event, from which on an index is worth its price
_ONCE = (b'"event_id":', b'"source":')


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
        self._by_head: dict[bytes, Check | None] = {}
        self.counts = Counts()

    def hits(self, block: bytes) -> Iterator[Hit]:
        """The hits in a block of whole lines, in their order; empty lines are passed over."""
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for _, hit in self.numbered_hits(lines, block):
            yield hit

    def numbered_hits(self, lines: list[bytes], block: bytes | None = None) -> Iterator[tuple[int, Hit]]:
        """The same with the place of each in `lines`; `block` is the lines in one, where that is at hand."""
        heads = self._heads(b"\n".join(lines) if block is None else block, lines)
        if heads is None:
            for number, line in enumerate(lines):
                if line and line != b"\r" and (hit := self._line(line)) is not None:
                    yield number, hit
            return
        self.counts.lines += len(lines)
        known, rules, loads = self._by_head, self._rules, orjson.loads
        for number, head in enumerate(heads):
            try:
                check = known[head]
            except KeyError:
                check = self._of_head(head, lines[number])
            if check is None:
                continue
            try:
                event = loads(lines[number])
            except orjson.JSONDecodeError:
                self.counts.lines -= 1
                if (hit := self._line(lines[number])) is not None:
                    yield number, hit
                continue
            data = FLAT.data(event)
            if numbers := check(FLAT, event, data):
                yield number, Hit(event, FLAT, data, [rules[each] for each in numbers])

    def _of_head(self, head: bytes, line: bytes) -> Check | None:
        """The function for lines of the flat shape that begin so."""
        event = parse_object(line)
        if event is None:
            return _broken
        if len(self._by_head) >= _MOST_KINDS:
            self._by_head.clear()
        check = self._by_head[head] = self._check(FLAT, event)
        return check

    def _heads(self, block: bytes, lines: list[bytes]) -> list[bytes] | None:
        """What the flat shape begins with, of every line; None when that is not to be trusted.

        Of two members of one name the second counts. When every line begins like the flat shape and there
        are no more members of these names than lines, no line has a second one.
        """
        matches = list(map(_HEAD, lines))
        if None in matches or any(block.count(name) != len(lines) for name in _ONCE):
            return None
        return [each[1] for each in matches if each is not None]

    def _line(self, line: bytes) -> Hit | None:
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
            return None
        data = shape.data(event)
        numbers = check(shape, event, data)
        return Hit(event, shape, data, [self._rules[each] for each in numbers]) if numbers else None

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
        """One function for all rules; of many rules, most are asked only when a text calls for them."""
        known = Known(channel, event_id if event_id >= 0 else None)
        wanted = [
            (number, rule, source)
            for number, rule in enumerate(self._rules)
            if (source := rule.source_of(channel, event_id)) is not None
        ]
        always = Compiler(known)
        needs: list[tuple[Needs, Check]] = []
        for number, rule, source in wanted:
            found = needs_of(rule.tree, _names(source)) if len(wanted) >= _MANY else ()
            if not found:
                always.add(number, rule.tree, source.renamed)
                continue
            alone = Compiler(known)
            alone.add(number, rule.tree, source.renamed)
            if (check := alone.check()) is not None:
                needs.append((found, check))
        return preselected(always.check(), Preselection(needs)) if needs else always.check()


def _names(source: Source) -> Callable[[str], str]:
    return lambda field: source.renamed.get(field, field)


def _broken(shape: Shape, event: Event, data: Event) -> list[int]:
    """For lines that begin well and are no JSON: they come to be counted."""
    return []
