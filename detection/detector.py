"""The core of both drivers: takes blocks of lines, returns alerts. Pure; it has all the state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from detection.alerts import Alert, identity, of_event, telling
from detection.correlation.bounds import DEFAULT_BOUNDS, Bounds
from detection.correlation.clock import Clock
from detection.correlation.correlator import (
    Change,
    Correlator,
    Occurrence,
    Told,
)
from detection.correlation.definition import Correlation, CorrelationError, define
from detection.matching.matcher import Hit, Matcher
from detection.matching.rule_fields import Event, event_computer, event_ticks, rule_shape
from detection.matching.rule_files import Refusal
from detection.matching.rule_set import RuleSet
from producer.events.event_time import TICKS, read_ticks
from producer.events.line_rule import parse_object


@dataclass
class Counts:
    """The counts of a detector.

    `late`: hits that are too old for correlations. `timeless`: hits without a readable time.
    """

    lines: int = 0
    rejected: int = 0
    hits: int = 0
    late: int = 0
    timeless: int = 0
    lost: int = 0


def definitions(rules: RuleSet) -> tuple[list[Correlation], list[Refusal]]:
    """The correlations that can be used, and the refusals of the others and of those that refer to them."""
    found: dict[str, Correlation] = {}
    refused: list[Refusal] = []
    known = {rule.head.key for rule in rules.rules}
    for rule in rules.correlations:
        missing = [key for key in rule.refers_to if key not in known and key not in found]
        try:
            if missing:
                raise CorrelationError(f"refers to rule '{missing[0]}', which is refused")
            found[rule.head.key] = define(rule)
        except CorrelationError as error:
            refused.append(rule.head.refuse(str(error)))
    return list(found.values()), refused


def counted(rules: RuleSet) -> RuleSet:
    """The rules without the correlations that cannot be used, which are added to the refusals.

    The rules that only those refer to alert by themselves.
    """
    correlations, refused = definitions(rules)
    keys = {each.head.key for each in correlations}
    kept = tuple(each for each in rules.correlations if each.head.key in keys)
    return replace(rules, correlations=kept, refusals=(*rules.refusals, *refused)).silenced()


class Detector:
    """Finds hits and combines them to alerts.

    `lateness`: seconds by which events may be out of order. `now`: the clock for the dates of alerts.
    """

    def __init__(
        self,
        rules: RuleSet,
        lateness: float = 60.0,
        bounds: Bounds = DEFAULT_BOUNDS,
        now: Callable[[], str] = str,
    ) -> None:
        self._bounds, self._now = bounds, now
        self._lateness = int(lateness * TICKS)
        self.clock = Clock(self._lateness)
        self.counts = Counts()
        self.fired: set[str] = set()
        """Keys of the rules and correlations that have matched so far, also of those without alerts."""
        self._set(rules)

    def feed(self, block: bytes, source: str = "") -> Iterator[Alert]:
        """Process whole lines of one input.

        Returns new alerts, and those that telling (detection/alerts.py) reports again.
        """
        matcher, seen = self._matcher, None
        for hit in matcher.hits(block):
            seen = hit.event
            yield from self._hit(hit, source)
        last = _last_event(block) if self._waiting else None
        if last and last != seen and (time := event_ticks(last)) is not None:
            self.clock.observe(source, time, event_computer(last))
        yield from self._advance()
        self.counts.lines += matcher.counts.lines
        self.counts.rejected += matcher.counts.rejected
        matcher.counts.lines = matcher.counts.rejected = 0
        self.counts.lost = self._correlator.lost

    def rest(self, source: str) -> Iterator[Alert]:
        """Mark an input as ended or silent: it does not hold back event time."""
        self.clock.rest(source)
        yield from self._advance()

    def finish(self) -> Iterator[Alert]:
        """End: no more lines come; returns the last report of every open alert."""
        yield from self._alerts(self._correlator.finish())

    def reload(self, rules: RuleSet) -> list[Alert]:
        """Use other rules from now on; returns the last report of every open alert that ends with this.

        Correlations that are the same, with all they refer to, keep their state.
        """
        before, heads = self._correlator, self.rules.heads
        refers = {each.head.key: each.refers_to for each in rules.correlations}

        def same(key: str) -> bool:
            old, new = heads.get(key), rules.heads.get(key)
            equal = old is not None and new is not None and old.fingerprint == new.fingerprint
            return equal and all(same(each) for each in refers.get(key, ()))

        ended = [*self._alerts(before.end_all_but(same))]
        self._set(rules)
        self._correlator.adopt(before, same)
        return ended

    def remember(self, alert: dict[str, Any]) -> None:
        """Add an alert (JSON) of an earlier run: if its burst is found again, it keeps its id."""
        rule = next((each for each in self._definitions if each.head.key == alert.get("rule_id")), None)
        first, last = (read_ticks(str(alert.get(name))) for name in ("first", "last"))
        group = alert.get("group")
        if rule is None or first is None or last is None or not isinstance(group, dict):
            return
        values = tuple(str(group.get(name, "")) for name in rule.group_by)
        evidence, count = alert.get("record_ids"), alert.get("count")
        if not isinstance(evidence, list) or not isinstance(count, int):
            return
        found = str(alert.get("detected_at") or "")
        told = Told(str(alert.get("id")), first, last, found, tuple(map(str, evidence)), count)
        self._correlator.remember(rule.head.key, values, told)

    @property
    def memory_milliseconds(self) -> int:
        """The event time that the state covers, in ms: the longest chain of timespans, plus the lateness."""
        reach: dict[str, int] = {}
        for each in self._definitions:
            before = max((reach.get(key, 0) for key in each.refers_to), default=0)
            reach[each.head.key] = each.span + self._correlator.delays[each.head.key] + before
        return (max(reach.values()) + self._lateness) * 1000 // TICKS if reach else 0

    @property
    def held(self) -> int:
        """The number of events in windows."""
        return self._correlator.held

    def _set(self, rules: RuleSet) -> None:
        self._definitions, _ = definitions(rules)
        correlations = self._definitions
        self.rules = rules
        self._matcher = Matcher(rules.rules)
        self._correlator = Correlator(correlations, self._bounds)
        self._waiting = bool(correlations)

    def _hit(self, hit: Hit, source: str) -> Iterator[Alert]:
        self.counts.hits += 1
        name, time = identity(hit), event_ticks(hit.event)
        late = False
        if time is None:
            self.counts.timeless += 1
        elif self._waiting:
            self.clock.observe(source, time, event_computer(hit.event))
            late = time < self.clock.watermark
        for rule in hit.rules:
            self.fired.add(rule.head.key)
            if rule.head.alerts:
                yield of_event(rule.head, name, time, self._now())
            if time is None or not self._correlator.listens(rule.head.key):
                continue
            if late:
                self.counts.late += 1
                continue
            read = hit.reader(rule)
            yield from self._alerts(self._correlator.take(Occurrence(rule.head.key, time, name, read)))

    def _advance(self) -> Iterator[Alert]:
        if self._waiting:
            yield from self._alerts(self._correlator.advance(self.clock.watermark, self._lateness))

    def _alerts(self, changes: Iterator[Change]) -> Iterator[Alert]:
        return telling(self._noted(changes), self._now)

    def _noted(self, changes: Iterator[Change]) -> Iterator[Change]:
        for change in changes:
            self.fired.add(change.correlation.head.key)
            yield change


def _last_event(block: bytes) -> Event | None:
    """The event of the last line; None if that is none."""
    event = parse_object(block.rstrip(b"\r\n").rsplit(b"\n", 1)[-1])
    return event if event and rule_shape(event) else None
