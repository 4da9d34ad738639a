"""How good the rules are: precision, recall and delay, measured with the labels in the events. Pure.

A rule names the scenarios that it should find (`scenarios` in its file). An alert is right if one of its
events has one of these labels; a scenario is found if one of its events is in an alert of the rule. It counts
as missed only if all its events were read, because the deciding event may still come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from detection.alerts import Alert, identity
from detection.matching.matcher import Hit
from detection.matching.rule_fields import rule_shape
from detection.matching.rule_set import Head, RuleSet
from producer.events.event_time import read_ticks
from producer.events.line_rule import parse_object
from toolkit.ranks import percentile


class Label(NamedTuple):
    """The scenario that an event is a part of, and its number of events; 0 when the label does not say."""

    scenario: str
    story: str
    events: int = 0


@dataclass(frozen=True)
class Score:
    """One rule and one scenario. `open`: played, but neither found nor over when the events ended.

    `delays`: seconds from the deciding event to the alert.
    """

    head: Head
    scenario: str
    alerts: int
    right: int
    played: int
    found: int
    open: int = 0
    delays: tuple[float, ...] = ()

    @property
    def precision(self) -> float | None:
        return self.right / self.alerts if self.alerts else None

    @property
    def recall(self) -> float | None:
        decided = self.played - self.open
        return self.found / decided if decided else None

    def delay(self, percent: int) -> float | None:
        """The percentile of the delays."""
        return percentile(sorted(self.delays), percent)

    def as_json(self) -> dict[str, Any]:
        return {
            "rule_id": self.head.key,
            "title": self.head.title,
            "scenario": self.scenario,
            "alerts": self.alerts,
            "right": self.right,
            "played": self.played,
            "found": self.found,
            "open": self.open,
            "precision": self.precision,
            "recall": self.recall,
            "delay_p50": self.delay(50),
            "delay_p99": self.delay(99),
        }


@dataclass
class Labels:
    """The labels of all events that are part of a scenario, by the id of the event."""

    by_identity: dict[str, Label] = field(default_factory=dict)

    def read(self, block: bytes) -> None:
        for line in block.split(b"\n"):
            if b'"scenario"' not in line:
                continue
            event = parse_object(line)
            shape = rule_shape(event) if event else None
            labels = event.get("labels") if event else None
            if event and shape and isinstance(labels, dict) and "scenario" in labels:
                name = identity(Hit(shape, event, {}, [], line))
                self.by_identity[name] = _label(labels)

    def stories(self, scenario: str) -> dict[str, bool]:
        """The stories of a scenario, and whether all their events are there."""
        seen = Counter(label for label in self.by_identity.values() if label.scenario == scenario)
        return {label.story: count >= label.events for label, count in seen.items()}


def _label(labels: Mapping[str, Any]) -> Label:
    events = labels.get("story_events")
    known = events if isinstance(events, int) else 0
    return Label(str(labels["scenario"]), str(labels.get("story_id", "")), known)


def detected_at(lines: bytes) -> dict[str, int]:
    """The time when each alert of a file was first found, in ticks, by its id."""
    found: dict[str, int] = {}
    for line in lines.splitlines():
        alert = parse_object(line) or {}
        time = read_ticks(str(alert.get("detected_at")))
        if time is not None:
            found[str(alert.get("id"))] = min(time, found.get(str(alert.get("id")), time))
    return found


def scores(
    rules: RuleSet, alerts: Iterable[Alert], labels: Labels, delays: Mapping[str, float]
) -> list[Score]:
    """One row for each rule with a scenario. `delays`: known seconds, by the id of the alert."""
    by_rule: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_rule.setdefault(alert.head.key, []).append(alert)
    rows = []
    for head in rules.heads.values():
        for scenario in head.scenarios:
            rows.append(_score(head, scenario, by_rule.get(head.key, []), labels, delays))
    return rows


def _score(
    head: Head, scenario: str, alerts: list[Alert], labels: Labels, delays: Mapping[str, float]
) -> Score:
    found: set[str] = set()
    right = []
    for alert in alerts:
        known = [labels.by_identity[each] for each in alert.record_ids if each in labels.by_identity]
        mine = {label.story for label in known if label.scenario == scenario}
        if any(label.scenario in head.scenarios for label in known):
            right.append(alert)
        found |= mine
    played = labels.stories(scenario)
    open_ = sum(1 for story, over in played.items() if not over and story not in found)
    known_delays = tuple(delays[alert.id] for alert in right if alert.id in delays)
    return Score(head, scenario, len(alerts), len(right), len(played), len(found), open_, known_delays)
