"""Correlations computed in the slow and obvious way: every window as a whole, for one group."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from detection.correlation.definition import Correlation


class Seen(NamedTuple):
    time: int
    place: int
    identity: str
    value: str


Told = tuple[int, int, int]  # first, last, count


def bursts(rule: Correlation, events: Sequence[Seen]) -> list[Told]:
    """The alerts that must exist after all of these events have come."""
    events = sorted(set(events))
    if rule.kind in ("event_count", "value_count"):
        events = list({(each.time, each.identity): each for each in reversed(events)}.values())
        events.sort()
    if rule.in_fixed_windows:
        return _fixed(rule, events)
    spans: list[tuple[int, int]] = []
    for end in sorted({each.time for each in events}):
        inside = [each for each in events if end - rule.span <= each.time <= end]
        if meets(rule, inside):
            # What is before the first event of the first rule cannot be a part of its order.
            starts = [each for each in inside if rule.kind != "temporal_ordered" or each.place == 0]
            first = min(each.time for each in starts)
            while spans and spans[-1][1] >= first:
                first = min(first, spans.pop()[0])
            spans.append((first, end))
    return [(low, high, sum(low <= each.time <= high for each in events)) for low, high in spans]


def _fixed(rule: Correlation, events: list[Seen]) -> list[Told]:
    told = []
    while events:
        begin = events[0].time
        inside = [each for each in events if each.time <= begin + rule.span]
        if meets(rule, inside):
            told.append((begin, inside[-1].time, len(inside)))
        events = events[len(inside) :]
    return told


def meets(rule: Correlation, inside: list[Seen]) -> bool:
    if rule.kind == "event_count":
        return rule.meets(len(inside))
    if rule.kind == "value_count":
        return rule.meets(len({each.value for each in inside}))
    if rule.kind == "temporal":
        return rule.presence({each.place for each in inside})
    if rule.kind == "temporal_ordered":
        wanted = list(range(len(rule.refers_to)))
        return any(
            [each.place for each in chain] == wanted
            for chosen in combinations(sorted(inside, key=lambda each: (each.time, each.place)), len(wanted))
            for chain in [chosen]
        )
    numbers = sorted(int(each.value) for each in inside)
    if rule.kind == "value_sum":
        return rule.meets(sum(numbers))
    if rule.kind == "value_avg":
        return rule.meets(statistics.mean(numbers))
    if rule.kind == "value_median":
        return rule.meets(statistics.median(numbers))
    return rule.meets(
        next(n for n in numbers if sum(m <= n for m in numbers) * 100 >= rule.percentile * len(numbers))
    )
