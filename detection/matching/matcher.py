"""Finds the rules that an event matches.

An index by channel and event id, with one function for each. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import msgspec
import orjson

from detection.matching.compiling.conditions import Known
from detection.matching.compiling.function import Whole
from detection.matching.compiling.kind import Kind, compiled
from detection.matching.rule_fields import ABSENT, FLAT, Event, Shape, read_field, rule_shape, system_field
from detection.matching.rule_set import Rule
from producer.events.line_rule import are_plain, is_plain, parse_object

_MOST_KINDS = 20_000  # most pairs (channel, event id) in memory; an attacker may invent more
_EMPTY = (b"", b"\r", b"\n", b"\r\n")


class _Flat(msgspec.Struct, gc=False):
    """The fields that decide the kind of a flat event. The parser only checks that the rest is JSON."""

    source: str
    event_id: int
    data: msgspec.Raw = msgspec.Raw(b"{}")


_decode_flat = msgspec.json.Decoder(_Flat).decode


class Hit(NamedTuple):
    """An event with the line that it is from, and the rules that it matches."""

    shape: Shape
    event: Event
    data: Event
    rules: list[Rule]
    line: bytes = b""

    def field(self, name: str) -> str:
        """The text of a field by its name in a rule; ABSENT if it is missing or cannot be read."""
        try:
            return read_field(self.shape, self.event, self.data, name)
        except Exception:  # as in Matcher._hit
            return ABSENT

    def reader(self, rule: Rule) -> Callable[[str], str]:
        """The function `field` with the names in the rule's log source."""
        source = rule.source_of(*kind_of(self.shape, self.event))
        renamed = source.renamed if source else {}
        return lambda name: self.field(renamed.get(name, name))


def kind_of(shape: Shape, event: Event) -> tuple[str, int]:
    """The channel in lower case, and the event id; -1 if it is not a number."""
    digits = system_field(shape, event, "EventID")
    event_id = int(digits) if len(digits) < 10 and digits.isdecimal() else -1
    return system_field(shape, event, "Channel").lower(), event_id


@dataclass
class Counts:
    """Counts of lines; `rejected`: no JSON object, no event of a known shape, or one that cannot be read."""

    lines: int = 0
    rejected: int = 0


class Matcher:
    """Stores its compiled functions; not thread-safe."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = list(rules)
        self._kinds: dict[tuple[str, int], Kind | None] = {}
        self._flat: dict[tuple[str, int], Kind | None] = {}
        self.counts = Counts()

    def hits(self, block: bytes) -> Iterator[Hit]:
        """The hits in a block of whole lines, in their order; empty lines are skipped."""
        for _, hit in self.numbered_hits(BytesIO(block).readlines()):  # twice as fast as split
            yield hit

    def numbered_hits(self, lines: list[bytes]) -> Iterator[tuple[int, Hit]]:
        """The hits, each with its index in `lines`."""
        kinds, plain = self._flat, are_plain(lines)
        self.counts.lines += len(lines)
        for number, line in enumerate(lines):
            if plain or is_plain(line):
                try:
                    flat = _decode_flat(line)
                    kind = kinds[flat.source, flat.event_id]
                    if kind is None or not kind.may_match(flat.data):
                        continue
                except Exception:  # noqa: S110 - another shape, another kind, or no event: _hit decides
                    pass
            if (hit := self._hit(line)) is not None:
                yield number, hit

    def _hit(self, line: bytes) -> Hit | None:
        """The hit by the slow path, for lines of any shape and alphabet."""
        if line in _EMPTY:
            self.counts.lines -= 1
            return None
        try:
            return self._read(line)
        except Exception:  # a fault here, with a line that nobody has thought of, must not end the detector
            self.counts.rejected += 1
            return None

    def _read(self, line: bytes) -> Hit | None:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            event = parse_object(line)  # what the standard allows and orjson does not
        shape = rule_shape(event) if isinstance(event, dict) else None
        if shape is None:
            self.counts.rejected += 1
            return None
        kind = self._kind(shape, event)
        if kind is None:
            return None
        whole = Whole(shape, event, shape.data(event))
        numbers = kind.numbers(whole)
        return Hit(*whole, [self._rules[each] for each in numbers], line) if numbers else None

    def _kind(self, shape: Shape, event: Event) -> Kind | None:
        name = kind_of(shape, event)
        if name not in self._kinds:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
                self._flat.clear()
            self._kinds[name] = self._compiled(*name)
        if shape is FLAT and type(event.get("event_id")) is int and isinstance(event.get("source"), str):
            self._flat[event["source"], event["event_id"]] = self._kinds[name]
        return self._kinds[name]

    def _compiled(self, channel: str, event_id: int) -> Kind | None:
        wanted = [
            (number, rule, source)
            for number, rule in enumerate(self._rules)
            if (source := rule.source_of(channel, event_id)) is not None
        ]
        return compiled(Known(channel, event_id if event_id >= 0 else None), wanted)
