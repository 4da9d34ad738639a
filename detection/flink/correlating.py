"""Correlations as a keyed function of Flink: windows are in its state and are restored from its checkpoints.

It receives only hits. The key is the correlation and the group. Correlations that refer to each other share
one key, because their groups may differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from pyflink.common import Row, Types
from pyflink.datastream import FlatMapFunction, KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from detection.alerts import Alert, of_event, telling
from detection.correlation.correlator import Bounds, Correlator, Occurrence, group_key
from detection.correlation.definition import Correlation
from detection.detector import definitions
from detection.matching.event_fields import ABSENT
from detection.matching.loading import load
from detection.matching.rule_files import RuleFile
from detection.matching.rule_set import RuleSet
from detection.wall_clock import wall_clock
from producer.events.event_time import TICKS

ALERT = Types.ROW([Types.STRING(), Types.STRING()])
"""Key and value of a record in the topic of alerts."""
_MILLISECOND = TICKS // 1000
_STEP = 100  # milliseconds: timers are rounded up to multiples of this, so that many events share one


class Spreading(FlatMapFunction):
    """Turns a hit into ("", alert) if its rule alerts, and (key, occurrence) for each correlation."""

    def __init__(self, files: list[RuleFile], pipelines: list[str]) -> None:
        self._files, self._pipelines = files, pipelines

    def open(self, runtime_context: RuntimeContext) -> None:
        self._rules = load(self._files, self._pipelines)
        self._families = families(self._rules)

    def flat_map(self, value: Row) -> Iterator[Row]:
        hit = orjson.loads(value[0])
        for key, fields in hit["rules"].items():
            occurrence = _occurrence(key, hit, fields)
            head = self._rules.heads[key]
            if head.alerts:
                yield Row("", value_of(of_event(head, hit["id"], hit["time"], wall_clock())))
            if hit["time"] is None:
                continue
            text = orjson.dumps({"key": key, "id": hit["id"], "time": hit["time"], "fields": fields}).decode()
            for name, family in self._families.items():
                for group in groups_in(family, occurrence):
                    yield Row(orjson.dumps([name, *group]).decode(), text)


class Correlating(KeyedProcessFunction):
    """Takes (key, occurrence), returns alerts. Its state is that of a Correlator."""

    def __init__(self, files: list[RuleFile], pipelines: list[str], bounds: Bounds) -> None:
        self._files, self._pipelines, self._bounds = files, pipelines, bounds

    def open(self, runtime_context: RuntimeContext) -> None:
        self._families = families(load(self._files, self._pipelines))
        self._state = runtime_context.get_state(ValueStateDescriptor("windows", Types.PICKLED_BYTE_ARRAY()))
        self._late = runtime_context.get_metrics_group().counter("late")

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        if not value[0]:
            yield Row(key_of(value[1]), value[1])
            return
        seen = orjson.loads(value[1])
        timers, time = ctx.timer_service(), seen["time"]
        if time < timers.current_watermark() * _MILLISECOND:
            self._late.inc()
            return
        family = self._families[orjson.loads(value[0])[0]]
        correlator = self._correlator(family)
        yield from _told(correlator.take(_occurrence(seen["key"], seen, seen["fields"])))
        self._state.update(correlator.state)
        for each in family:
            timers.register_event_time_timer(_rounded(time + each.span))
            if not each.on_arrival:
                timers.register_event_time_timer(_rounded(time))

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        family = self._families[orjson.loads(ctx.get_current_key())[0]]
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


def families(rules: RuleSet) -> dict[str, list[Correlation]]:
    """Groups of correlations that refer to each other, by a name that changes with their texts."""
    found: list[list[Correlation]] = []
    for each in definitions(rules)[0]:
        related = [family for family in found if any(other.head.key in each.refers_to for other in family)]
        found = [family for family in found if family not in related]
        found.append([*(other for family in related for other in family), each])
    return {"-".join(each.head.fingerprint for each in family)[:100]: family for family in found}


def groups_in(family: list[Correlation], occurrence: Occurrence) -> Iterable[tuple[str, ...]]:
    """The keys for an occurrence in a family: its group; one common key for several correlations."""
    wanted = [each for each in family if occurrence.key in each.refers_to]
    if len(family) > 1:
        return [()] if wanted else []
    return [group for each in wanted if (group := group_key(each, occurrence)) is not None]


def value_of(alert: Alert) -> str:
    return orjson.dumps(alert.as_json()).decode()


def key_of(value: str) -> str:
    alert = orjson.loads(value)
    return orjson.dumps({"rule_id": alert["rule_id"], "group": alert["group"]}).decode()


def _told(changes: Iterator[Any]) -> Iterator[Row]:
    for alert in telling(changes, wall_clock):
        yield Row(alert.key.decode(), value_of(alert))


def _occurrence(key: str, seen: dict[str, Any], fields: dict[str, str]) -> Occurrence:
    return Occurrence(key, seen["time"] or 0, seen["id"], lambda name: fields.get(name, ABSENT))


def _rounded(time: int) -> int:
    """The tick in milliseconds, rounded up."""
    return (time // _MILLISECOND // _STEP + 1) * _STEP
