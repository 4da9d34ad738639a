"""Windows compared with the slow reference: any events in any order, with and without removal of old ones."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.detection import reference
from unit.detection.rule_texts import correlation, rule, rule_set

from detection.correlation.correlator import Change, Correlator, Occurrence
from detection.correlation.definition import Correlation, define
from detection.matching.rule_fields import ABSENT
from producer.events.event_time import TICKS

RULES = tuple(rule(name, f"{{EventID: {number}}}") for number, name in enumerate("abc", 1))
KINDS = {
    "event_count gte": ("event_count", "a", "{gte: 3}"),
    "event_count of many": ("event_count", "a, b", "{gte: 9}"),
    "event_count gt": ("event_count", "a, b", "{gt: 1}"),
    "event_count eq": ("event_count", "a", "{eq: 2}"),
    "event_count lt": ("event_count", "a", "{lt: 3}"),
    "event_count neq": ("event_count", "a", "{neq: 1}"),
    "value_count gte": ("value_count", "a, b", "{field: v, gte: 2}"),
    "value_count of all": ("value_count", "a", "{field: v, gt: 3}"),
    "value_count lte": ("value_count", "a", "{field: v, lte: 1}"),
    "value_sum": ("value_sum", "a", "{field: v, gte: 5}"),
    "value_avg": ("value_avg", "a", "{field: v, gt: 2}"),
    "value_median": ("value_median", "a", "{field: v, gte: 2}"),
    "value_percentile": ("value_percentile", "a", "{field: v, gte: 3, percentile: 80}"),
    "temporal": ("temporal", "a, b, c", ""),
    "temporal two of three": ("temporal", "a, b, c", "{gte: 2}"),
    "temporal in words": ("temporal", "a, b, c", "a and (b or c)"),
    "temporal without": ("temporal", "a, b, c", "a and b and not c"),
    "temporal_ordered": ("temporal_ordered", "a, b, c", ""),
    "temporal_ordered of two": ("temporal_ordered", "a, b", ""),
}
EVENTS = st.lists(
    st.builds(
        reference.Seen,
        time=st.integers(0, 40),
        place=st.integers(0, 2),
        identity=st.sampled_from([f"WS-1 Security {number}" for number in range(9)]),
        value=st.sampled_from("0123"),
    ),
    max_size=20,
)


def _definition(name: str) -> Correlation:
    kind, rules, condition = KINDS[name]
    (found,) = rule_set(*RULES, correlation(kind, rules, condition, span="10s")).correlations
    return define(found)


DEFINITIONS = {name: _definition(name) for name in KINDS}


def _consistent(events: Iterable[reference.Seen]) -> list[reference.Seen]:
    """One event has one value, even if it matches several rules."""
    values: dict[tuple[int, str], str] = {}
    return [each._replace(value=values.setdefault((each.time, each.identity), each.value)) for each in events]


def _tell(rule: Correlation, events: list[reference.Seen], lateness: int, seed: int) -> list[reference.Told]:
    """Run the correlator with events out of order by less than `lateness` seconds; it may drop old ones."""
    dice = random.Random(seed)
    order = sorted(events, key=lambda each: each.time + dice.uniform(0, lateness))
    correlator, newest, last = Correlator([rule], margin=0), 0, dict[int, Change]()
    for each in order:
        newest = max(newest, each.time)
        values = {"v": each.value}
        occurrence = Occurrence(
            rule.refers_to[each.place],
            each.time * TICKS,
            each.identity,
            lambda name, values=values: values.get(name, ABSENT),
        )
        watermark = (newest - lateness) * TICKS
        found = [*correlator.take(occurrence), *correlator.advance(watermark, lateness * TICKS)]
        last |= {id(change.burst): change for change in found}
    last |= {id(change.burst): change for change in correlator.finish()}
    told = [
        (c.burst.first // TICKS, c.burst.last // TICKS, c.burst.count) for c in last.values() if not c.into
    ]
    assert correlator.held == 0
    return sorted(told)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=examples(90), deadline=None)
@given(events=EVENTS, lateness=st.sampled_from([1, 5, 100]), seed=st.integers(0, 9))
def test_every_order_tells_what_the_reference_tells(
    name: str, events: list[reference.Seen], lateness: int, seed: int
) -> None:
    rule = DEFINITIONS[name]
    events = _consistent(each for each in events if each.place < len(rule.refers_to))
    in_ticks = [each._replace(time=each.time * TICKS) for each in events]
    expected = [(low // TICKS, high // TICKS, count) for low, high, count in reference.bursts(rule, in_ticks)]
    assert _tell(rule, events, lateness, seed) == expected


def _crowd(dice: random.Random, places: int) -> list[reference.Seen]:
    """Many events, some of them in crowds, of few values and rules or of many."""
    span, values = dice.choice((30, 60, 120)), "0123"[: dice.randint(1, 4)]
    crowds = [dice.randint(0, span) for _ in range(dice.randint(1, 4))]
    rare = dice.choice((0.02, 0.3))
    found = []
    for number in range(dice.randint(10, 90)):
        near = round(dice.gauss(dice.choice(crowds), dice.choice((1, 4, 12))))
        time = min(max(near, 0), span) if dice.random() < 0.7 else dice.randint(0, span)
        place = dice.randrange(places) if dice.random() < rare else 0
        value = dice.choice("0123") if dice.random() < rare else dice.choice(values)
        found.append(reference.Seen(time, place, f"WS-1 Security {number}", value))
    return found


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=examples(75), deadline=None)
@given(seed=st.integers(0, 2**32), lateness=st.sampled_from([5, 15, 60, 200]))
def test_a_crowd_of_events_out_of_order_tells_what_the_reference_tells(
    name: str, seed: int, lateness: int
) -> None:
    """By seed: hypothesis takes twenty times as long as the windows when it draws each number itself."""
    dice = random.Random(seed)
    rule = DEFINITIONS[name]
    events = _crowd(dice, len(rule.refers_to))
    in_ticks = [each._replace(time=each.time * TICKS) for each in events]
    expected = [(low // TICKS, high // TICKS, count) for low, high, count in reference.bursts(rule, in_ticks)]
    assert _tell(rule, events, lateness, dice.randint(0, 9)) == expected
