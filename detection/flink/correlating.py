"""Correlations as a keyed function of Flink: windows are in its state and are restored from its checkpoints.

It receives only hits, by the key that `rows` gives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from detection.alerts import telling, wall_clock
from detection.correlation.bounds import Bounds
from detection.correlation.correlator import Correlator
from detection.correlation.definition import Correlation
from detection.detector import counted
from detection.flink import rows
from detection.flink.shipping import Shipped
from detection.matching.loading import load
from detection.matching.rule_files import RuleFile
from producer.events.event_time import TICKS

_MILLISECOND = TICKS // 1000
_STEP = 100  # milliseconds: timers are rounded up to multiples of this, so that many events share one


class Correlating(Shipped, KeyedProcessFunction):
    """Takes (key, occurrence) and returns alerts. It has the same state as a Correlator."""

    def __init__(self, files: list[RuleFile], pipelines: list[str], bounds: Bounds) -> None:
        self._files, self._pipelines, self._bounds = files, pipelines, bounds

    def open(self, runtime_context: RuntimeContext) -> None:
        self._families = dict(rows.families(counted(load(self._files, self._pipelines))))
        self._state = runtime_context.get_state(ValueStateDescriptor("windows", Types.PICKLED_BYTE_ARRAY()))
        metrics = runtime_context.get_metrics_group()
        self._late, self._lost = metrics.counter("late"), metrics.counter("lost")

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        if not value[0]:
            yield rows.record_of(value[1])
            return
        occurrence = rows.occurrence_of(value[1])
        timers, time = ctx.timer_service(), occurrence.time
        if time < timers.current_watermark() * _MILLISECOND:
            self._late.inc()
            return
        correlator = self._correlator(self._families[orjson.loads(value[0])[0]])
        yield from _told(correlator.take(occurrence))
        if correlator.lost:  # by this event: the correlator is a new one
            self._lost.inc(correlator.lost)
        self._state.update(correlator.state)
        for wake in set(map(_rounded, correlator.wakes(time))):
            timers.register_event_time_timer(wake)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        family = self._families.get(orjson.loads(ctx.get_current_key())[0])
        if family is None:  # a correlation of the savepoint that was changed or removed since
            self._state.clear()
            return
        correlator = self._correlator(family)
        yield from _told(correlator.advance(timestamp * _MILLISECOND, 0))
        if correlator.held:
            self._state.update(correlator.state)
        else:
            self._state.clear()

    def _correlator(self, family: list[Correlation]) -> Correlator:
        correlator = Correlator(family, self._bounds)
        if (state := self._state.value()) is not None:
            correlator.state = state
        return correlator


def _told(changes: Iterator[Any]) -> Iterator[Row]:
    return map(rows.record, telling(changes, wall_clock))


def _rounded(time: int) -> int:
    """The tick in milliseconds, rounded up."""
    return (time // _MILLISECOND // _STEP + 1) * _STEP
