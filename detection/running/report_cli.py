"""Reports the alerts of one process: counts them, and writes them as JSON for programs."""

from __future__ import annotations

import sys
from collections import Counter

import click
import orjson

from detection.alerts import Alert
from detection.detector import Detector
from detection.matching.rule_files import RULE_LEVELS
from detection.matching.rule_set import RuleSet
from toolkit.terminal_text import printable


class Report:
    """Counts alerts, and reports progress on stderr. Alerts below the level `lowest` are only counted."""

    def __init__(self, lowest: str) -> None:
        self._lowest = RULE_LEVELS.index(lowest)
        self._below = 0
        self.alerts = 0
        self.has_shown = False  # also an alert that an earlier run has reported and that goes on
        self.by_rule: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self._counts: dict[str, int] = {}
        self.rules = RuleSet()

    def say(self, sentence: str) -> None:
        click.echo(printable(f"win-event-detect: {sentence}"), err=True)

    def loaded(self, rules: RuleSet) -> None:
        self.rules = rules
        for refusal in rules.refusals:
            click.secho(printable(f"refused: {refusal}"), fg="yellow", err=True)
        what = f"{len(rules.rules)} rules and {len(rules.correlations)} correlations"
        refused = f", {len(rules.refusals)} refused" if rules.refusals else ""
        self.say(f"{what} loaded{refused}")

    def take(self, alert: Alert) -> bool:
        """Count an alert; False if it is not to be shown."""
        if RULE_LEVELS.index(alert.head.level) < self._lowest:
            self._below += alert.new
            return False
        self.has_shown = True
        key = alert.head.key
        if alert.merged_into:
            if alert.id in self._counts:  # else it is of an earlier run
                self.alerts -= 1
                self.by_rule[key] -= 1
                self.events[key] -= self._counts.pop(alert.id)
            return True
        if alert.new:
            self.alerts += 1
            self.by_rule[key] += 1
        before = 0 if alert.new else self._counts.get(alert.id, 0)
        self.events[key] += alert.count - before
        if alert.over:
            self._counts.pop(alert.id, None)
        else:
            self._counts[alert.id] = alert.count
        return True

    def end(self, detector: Detector, too_long: int) -> None:
        counts = detector.counts
        told = [f"{counts.lines:,} events", f"{self.alerts:,} alerts"]
        for number, what in (
            (self._below, f"below {RULE_LEVELS[self._lowest]} not shown: --min-level"),
            (counts.rejected, "lines are no event"),
            (too_long, "lines are too long"),
            (counts.late, "hits came too late for correlations"),
            (counts.timeless, "hits have no time"),
            (counts.lost, "were dropped from windows that are full"),
        ):
            if number:
                told.append(f"{number:,} {what}")
        self.say(", ".join(told))


class JsonReport(Report):
    """Writes each alert as one line on stdout, when it cannot change any more."""

    def take(self, alert: Alert) -> bool:
        shown = super().take(alert)
        if shown and alert.over and not alert.merged_into:
            sys.stdout.buffer.write(orjson.dumps(alert.as_json()) + b"\n")
            sys.stdout.buffer.flush()
        return shown
