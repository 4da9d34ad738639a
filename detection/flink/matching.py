"""The matcher as a function of Flink: takes blocks of lines, returns hits. Runs on the TaskManagers.

A hit becomes an alert, or the fields of the event that correlations read.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyflink.common import Row
from pyflink.datastream import FlatMapFunction, RuntimeContext

from detection.alerts import identity, of_event, wall_clock
from detection.correlation.correlator import Occurrence
from detection.detector import counted
from detection.flink import rows
from detection.flink.shipping import Shipped
from detection.matching.loading import load
from detection.matching.matcher import Hit, Matcher
from detection.matching.rule_fields import event_ticks
from detection.matching.rule_files import RuleFile


class Matching(Shipped, FlatMapFunction):
    """Turns a hit into ("", alert) if its rule alerts, and (key, occurrence) for each correlation.

    The job contains the texts of rule files. Each worker compiles them once, when it starts.
    """

    def __init__(self, files: list[RuleFile], pipelines: list[str]) -> None:
        self._files, self._pipelines = files, pipelines

    def open(self, runtime_context: RuntimeContext) -> None:
        rules = counted(load(self._files, self._pipelines))
        self._matcher, self._listening = Matcher(rules.rules), rows.listening(rows.families(rules))
        metrics = runtime_context.get_metrics_group()
        self._lines, self._rejected = metrics.counter("lines"), metrics.counter("rejected")
        self._timeless = metrics.counter("timeless")

    def flat_map(self, value: bytes) -> Iterator[Row]:
        for hit in self._matcher.hits(value):
            yield from self._rows(hit)
        counts = self._matcher.counts
        self._lines.inc(counts.lines)
        self._rejected.inc(counts.rejected)
        counts.lines = counts.rejected = 0

    def _rows(self, hit: Hit) -> Iterator[Row]:
        name, time = identity(hit), event_ticks(hit.event)
        if time is None:
            self._timeless.inc()
        for rule in hit.rules:
            key = rule.head.key
            if rule.head.alerts:
                yield rows.alert(of_event(rule.head, name, time, wall_clock()))
            if time is not None and (wanted := self._listening.get(key)):
                yield from rows.counted(wanted, Occurrence(key, time, name, hit.reader(rule)))
