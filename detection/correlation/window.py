"""The state of one group: its events of the last timespan, and the bursts in them. Pure.

A window ends at an event and reaches back by the timespan, both ends included. For temporal_ordered it begins
with the first event of the first rule in it. Windows that meet the condition and share an event are one
burst, so a burst does not depend on the order in which its events arrived.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from detection.correlation.clock import NEVER
from detection.correlation.definition import NUMBERS, Correlation
from detection.matching.compiling.values import number
from toolkit.ranks import percentile

MOST_EVIDENCE = 20
_SMALL = 16  # entries; a window with fewer is not worth a look between two sweeps


class Entry(NamedTuple):
    """One event in a window. `place`: the index of its rule in the correlation. `identity`: its id."""

    place: int
    identity: str
    value: str


@dataclass(eq=False)
class Burst:
    """`first`, `last`: event times. `met`: the end of the window that first met the condition.

    `began`: the time of the first event at that moment, from which its id is made; `name`: the id under which
    it was reported before a restart. `gone`: how many of its events are no longer in the window; those up to
    `since` are all counted in it. `told`, `told_last`: the count and the time that were last reported.
    `detected`: when it was first reported, by the clock of the reporter.
    """

    first: int
    last: int
    began: int
    met: int
    gone: int = 0
    count: int = 0
    evidence: list[str] = field(default_factory=list)
    told: int = 0
    name: str = ""
    detected: str = ""
    since: int = NEVER
    told_last: int = NEVER

    def covers(self, time: int) -> bool:
        return self.first <= time <= self.last


@dataclass(eq=False)
class Window:
    """Entries by time, those with the same time in order of arrival. `judged`: ends up to here are evaluated.

    `absorbed`: bursts that became part of another one, with that one, for those who reported them.
    `low` and `tail`: the start of the newest window, and how often each value (temporal: each rule) is in it.
    `by_key`: for conditions that are met on arrival, the event times of each value or rule.
    `full`: the number of entries at which a look for unnecessary ones is due, also between two sweeps.
    """

    times: list[int] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)
    judged: int = NEVER
    absorbed: list[tuple[Burst, Burst]] = field(default_factory=list)
    low: int = 0
    tail: dict[str | int, int] = field(default_factory=dict)
    by_key: dict[str | int, list[int]] = field(default_factory=dict)
    dropped: int = 0
    full: int = _SMALL

    def __setstate__(self, kept: dict[str, Any]) -> None:
        """A checkpoint of an earlier version has the index under another name, and not for each kind."""
        self.__dict__ |= {"by_key": kept.pop("by_place", {})} | kept

    def add(self, rule: Correlation, time: int, entry: Entry, most: int) -> list[Burst]:
        """Add an event; returns the bursts that began or changed. The same event counts once."""
        if self._has(rule, time, entry):
            return []
        if self.times and not self.by_key:
            self._index(rule)  # a checkpoint from before there was an index
        place = bisect_right(self.times, time)
        self.times.insert(place, time)
        self.entries.insert(place, entry)
        if _has_index(rule):
            insort(self.by_key.setdefault(_key(rule, entry), []), time)
        self._count(rule, place)
        if len(self.times) > most:
            self._drop(rule, max(most // 16, 1))
            self.dropped += max(most // 16, 1)
            place = bisect_right(self.times, time) - 1
        if not rule.on_arrival or place < 0:
            return []
        changed = {id(self._mark(first, end)) for first, end in self._met(rule, place, entry)}
        return self._counted([b for b in self.bursts if id(b) in changed or b.covers(time)])

    def judge(self, rule: Correlation, until: int) -> list[Burst]:
        """For conditions that wait: evaluate all windows that are complete at `until`."""
        if rule.on_arrival:
            return []
        found = self._fixed(rule, until) if rule.in_fixed_windows else self._sliding(rule, until)
        changed = {id(burst) for burst in list(found)}
        return self._counted([burst for burst in self.bursts if id(burst) in changed])

    def evict(self, rule: Correlation, before: int, settled: int) -> list[Burst]:
        """Remove the entries that no future event can need; returns the bursts that ended before `before`.

        No window reaches back to `before`. No event older than `settled` comes any more.
        """
        count = bisect_left(self.times, before)
        if rule.forgets and rule.kind == "event_count":
            # A window with an older entry has met the condition already, without any future event.
            count = max(count, bisect_left(self.times, settled) - max(int(rule.threshold), 1))
        if count:
            self._drop(rule, count)
        if rule.kind == "temporal_ordered":
            self._drop_unstarted(rule, settled)
        self.full = max(_SMALL, 2 * len(self.times))
        over = [burst for burst in self.bursts if burst.last < before]
        if over:
            self.bursts = [burst for burst in self.bursts if burst.last >= before]
        return over

    def continue_from(self, burst: Burst, first: int, last: int, evidence: Sequence[str], count: int) -> None:
        """Continue a burst that an earlier run reported so, of which not all events are here."""
        burst.first, burst.since, burst.gone, burst.evidence = first, last, count, [*evidence]
        self._counted([burst])

    @property
    def empty(self) -> bool:
        return not self.times and not self.bursts

    def _has(self, rule: Correlation, time: int, entry: Entry) -> bool:
        at = bisect_left(self.times, time)
        while at < len(self.times) and self.times[at] == time:
            other = self.entries[at]
            if other.identity == entry.identity and (
                rule.kind in ("event_count", "value_count") or other == entry
            ):
                return True
            at += 1
        return False

    def _count(self, rule: Correlation, place: int) -> None:
        """Update `low` and `tail` for the entry that was inserted at `place`."""
        newest = self.times[-1]
        if place < self.low:
            self.low += 1
            return
        self._tally(rule, self.entries[place], 1)
        while self.times[self.low] < newest - rule.span:
            self._tally(rule, self.entries[self.low], -1)
            self.low += 1

    def _tally(self, rule: Correlation, entry: Entry, by: int) -> None:
        key = _key(rule, entry)
        left = self.tail.get(key, 0) + by
        if left:
            self.tail[key] = left
        else:
            del self.tail[key]

    def _drop(self, rule: Correlation, count: int) -> None:
        for burst in self.bursts:
            low, high = self._counting(burst)
            burst.gone += max(min(high, count) - low, 0)
        for entry in self.entries[self.low : count]:
            self._tally(rule, entry, -1)
        self.low = max(self.low - count, 0)
        if self.by_key:
            for key, gone in Counter(_key(rule, entry) for entry in self.entries[:count]).items():
                del self.by_key[key][:gone]
                if not self.by_key[key]:
                    del self.by_key[key]
        del self.times[:count]
        del self.entries[:count]

    def _drop_unstarted(self, rule: Correlation, settled: int) -> None:
        """Remove the events of later rules that no event of the first rule precedes within the timespan."""
        old, starts = bisect_left(self.times, settled), self.by_key.get(0, [])
        kept = []
        for at, time in enumerate(self.times[:old]):
            before = bisect_right(starts, time)
            if before and starts[before - 1] >= time - rule.span:
                kept.append(at)
            else:
                for burst in self.bursts:
                    burst.gone += burst.covers(time) and time > burst.since
        if len(kept) == old:
            return
        self.times = [*map(self.times.__getitem__, kept), *self.times[old:]]
        self.entries = [*map(self.entries.__getitem__, kept), *self.entries[old:]]
        self.low = bisect_left(self.times, self.times[-1] - rule.span) if self.times else 0
        self.tail = dict(Counter(entry.place for entry in self.entries[self.low :]))
        self._index(rule)

    def _index(self, rule: Correlation) -> None:
        self.by_key = {}
        if _has_index(rule):
            for time, entry in zip(self.times, self.entries, strict=True):
                self.by_key.setdefault(_key(rule, entry), []).append(time)

    def _begin(self, rule: Correlation, end: int) -> int | None:
        """The time of the first event of the window that ends at `end`; None if it cannot count."""
        start = end - rule.span
        times = self.by_key.get(0, []) if rule.kind == "temporal_ordered" else self.times
        at = bisect_left(times, start)
        return times[at] if at < len(times) and times[at] <= end else None

    def _ends(self, place: int, last: int) -> Iterator[int]:
        """The different times from `place` to `last`: ends of windows that may contain the new event."""
        before = None
        for at in range(place, len(self.times)):
            time = self.times[at]
            if time > last:
                return
            if time != before:
                yield time
                before = time

    # What a new event changes

    def _met(self, rule: Correlation, place: int, entry: Entry) -> Iterator[tuple[int, int]]:
        """The windows that meet the condition, or begin earlier, because of the new event at `place`.

        They are (first, end), by their ends. The caller marks each before the next: every window that met the
        condition before, and one that is inside a burst, is passed over. So the cost does not grow with the
        events behind the new one.
        """
        time = self.times[place]
        before = self.times[place - 1] if place else NEVER
        # Without the new event, the window that ends at it has nothing that the one before does not have.
        if any(before <= burst.last < time for burst in self.bursts):
            yield from self._if_met(rule, time)
        if rule.kind == "event_count":
            yield from self._met_by_number(rule, place)
        elif rule.kind == "temporal_ordered":
            yield from self._met_in_order(rule, time, entry.place)
        else:
            yield from self._met_by_key(rule, time, _key(rule, entry))
        # Windows that begin with the new event: the last one has all that the others have.
        end = self.times[bisect_right(self.times, time + rule.span) - 1]
        if any(burst.first > time and burst.covers(end) for burst in self.bursts):
            for first, _ in self._if_met(rule, end):
                if first == time:
                    yield first, end

    def _if_met(self, rule: Correlation, end: int) -> Iterator[tuple[int, int]]:
        first = self._begin(rule, end)
        if first is not None and self._meets(rule, end):
            yield first, end

    def _outside(self, rule: Correlation, since: int, last: int) -> Iterator[tuple[int, int]]:
        """The windows with ends from `since` to `last` that are not completely inside a burst."""
        at = bisect_left(self.times, since)
        while at < len(self.times) and (end := self.times[at]) <= last:
            first = self._begin(rule, end)
            burst = next(
                (b for b in self.bursts if first is not None and b.covers(first) and b.covers(end)), None
            )
            if burst is None and first is not None:
                yield first, end
            at = bisect_right(self.times, burst.last if burst else end, at)

    def _met_by_number(self, rule: Correlation, place: int) -> Iterator[tuple[int, int]]:
        """A window that only now has enough events has none to spare, so its end is near the new event."""
        time = self.times[place]
        furthest = self.times[min(place + int(rule.threshold), len(self.times) - 1)]
        for first, end in self._outside(rule, time, min(furthest, time + rule.span)):
            if self._meets(rule, end):
                yield first, end

    def _met_by_key(self, rule: Correlation, time: int, key: str | int) -> Iterator[tuple[int, int]]:
        """Windows that the value, or the rule, is new in."""
        times = self.by_key[key]
        at = bisect_left(times, time)
        if times[at + 1 : at + 2] == [time]:
            return
        since = max(time, times[at - 1] + rule.span + 1) if at else time
        last = min(time + rule.span, times[at + 1] - 1) if at + 1 < len(times) else time + rule.span
        keys = _Keys()
        for first, end in self._outside(rule, since, last):
            low, high = bisect_left(self.times, end - rule.span), bisect_right(self.times, end)
            if high == len(self.times):
                met = self._meets(rule, end)
            else:
                met = _enough(rule, keys.between(rule, self.entries, low, high))
            if met:
                yield first, end

    def _met_in_order(self, rule: Correlation, time: int, place: int) -> Iterator[tuple[int, int]]:
        """Windows with an order of all rules that has the new event: from the shortest to the longest."""
        start = end = time
        for each in reversed(range(place)):
            times = self.by_key.get(each, [])
            at = bisect_right(times, start)
            if not at:
                return
            start = times[at - 1]
        for each in range(place + 1, len(rule.refers_to)):
            times = self.by_key.get(each, [])
            at = bisect_left(times, end)
            if at == len(times):
                return
            end = times[at]
        if end <= start + rule.span:
            first = self._begin(rule, end)
            last = self.times[bisect_right(self.times, start + rule.span) - 1]
            if first is not None:
                yield first, end
                yield first, last

    # Conditions

    def _meets(self, rule: Correlation, end: int) -> bool:
        """Whether the window that ends at `end` meets the condition."""
        low, high = bisect_left(self.times, end - rule.span), bisect_right(self.times, end)
        if rule.kind == "event_count":
            return rule.meets(high - low)
        if rule.kind == "temporal_ordered":
            return self._in_order(rule, end)
        if high == len(self.times) and rule.kind in ("value_count", "temporal"):
            return _enough(rule, self.tail)
        return self._slice_meets(rule, low, high)

    def _slice_meets(self, rule: Correlation, low: int, high: int) -> bool:
        entries = self.entries[low:high]
        if rule.kind == "event_count":
            return rule.meets(len(entries))
        if rule.kind == "value_count":
            return rule.meets(len({entry.value for entry in entries}))
        if rule.kind == "temporal":
            return rule.presence({entry.place for entry in entries})
        numbers = _Numbers()
        for entry in entries:
            numbers.add(entry.value)
        return numbers.meet(rule)

    def _in_order(self, rule: Correlation, end: int) -> bool:
        """Whether there is an event of each rule, in order; events with the same time are in any order.

        Searched from the end: the latest event of the last rule, then the latest of the rule before that is
        not later.
        """
        latest = end
        for place in reversed(range(len(rule.refers_to))):
            times = self.by_key.get(place, [])
            at = bisect_right(times, latest)
            if not at or times[at - 1] < end - rule.span:
                return False
            latest = times[at - 1]
        return True

    def _sliding(self, rule: Correlation, until: int) -> Iterator[Burst]:
        numbers, since, to = _Numbers(), 0, 0
        for end in list(self._ends(bisect_right(self.times, self.judged), until)):
            low = bisect_left(self.times, end - rule.span)
            if rule.kind in NUMBERS:  # from one window to the next: each event comes once and goes once
                high = bisect_right(self.times, end)
                for entry in self.entries[max(to, low) : high]:
                    numbers.add(entry.value)
                for entry in self.entries[since : min(low, to)]:
                    numbers.remove(entry.value)
                since, to = low, high
                met = numbers.meet(rule)
            else:
                met = self._meets(rule, end)
            if met:
                yield self._mark(self.times[low], end)
        self.judged = max(self.judged, until)

    def _fixed(self, rule: Correlation, until: int) -> Iterator[Burst]:
        while True:
            low = bisect_right(self.times, self.judged)
            if low == len(self.times) or self.times[low] + rule.span > until:
                return
            end = self.times[low] + rule.span
            high = bisect_right(self.times, end)
            if self._slice_meets(rule, low, high):
                yield self._mark(self.times[low], self.times[high - 1], apart=True)
            self.judged = end

    # Bursts

    def _mark(self, first: int, end: int, apart: bool = False) -> Burst:
        """Mark the window from `first` to `end` as a burst, joined with the bursts that it overlaps."""
        same = [] if apart else [b for b in self.bursts if b.first <= end and b.last >= first]
        if not same:
            burst = Burst(first, end, began=first, met=end)
            self.bursts.append(burst)
            return burst
        kept = min(same, key=lambda burst: burst.met)  # callers that have the burst see it grow
        gone = [name for b in sorted(same, key=lambda b: b.first) for name in b.evidence[: b.gone]]
        kept.first = min(first, *(burst.first for burst in same))
        kept.last = max(end, *(burst.last for burst in same))
        kept.gone = sum(burst.gone for burst in same)
        kept.since = max(burst.since for burst in same)
        kept.evidence = gone[:MOST_EVIDENCE]
        self.absorbed += [(burst, kept) for burst in same if burst is not kept]
        self.bursts = [burst for burst in self.bursts if burst is kept or burst not in same]
        return kept

    def _counting(self, burst: Burst) -> tuple[int, int]:
        """From where to where its entries are that `gone` does not count."""
        low = max(bisect_left(self.times, burst.first), bisect_right(self.times, burst.since))
        return low, max(bisect_right(self.times, burst.last), low)

    def _counted(self, bursts: list[Burst]) -> list[Burst]:
        """The burst with its current count and evidence."""
        for burst in bursts:
            low, high = self._counting(burst)
            burst.count = burst.gone + high - low
            if burst.gone < MOST_EVIDENCE:
                gone = burst.evidence[: burst.gone]
                first = self.entries[low : min(high, low + MOST_EVIDENCE - len(gone))]
                burst.evidence = [*gone, *(entry.identity for entry in first)]
        return bursts


def _has_index(rule: Correlation) -> bool:
    return rule.on_arrival and rule.kind != "event_count"


def _key(rule: Correlation, entry: Entry) -> str | int:
    """What a condition tells apart: values, or rules."""
    return entry.value if rule.kind == "value_count" else entry.place


def _enough(rule: Correlation, keys: Mapping[Any, int]) -> bool:
    return rule.meets(len(keys)) if rule.kind == "value_count" else rule.presence(set(keys))


class _Keys:
    """How often each value, or rule, is in a window. A window is counted from the one before it."""

    def __init__(self) -> None:
        self._counts: Counter[str | int] = Counter()
        self._low = self._high = 0

    def between(self, rule: Correlation, entries: Sequence[Entry], low: int, high: int) -> Counter[str | int]:
        if low >= self._high:
            self._counts, self._low, self._high = Counter(), low, low
        self._counts.update(_key(rule, each) for each in entries[self._high : high])
        for each in entries[self._low : low]:
            key = _key(rule, each)
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]
        self._low, self._high = low, high
        return self._counts


class _Numbers:
    """The numbers among the values of a window, in order, and their sum. They are exact."""

    def __init__(self) -> None:
        self._sorted: list[Fraction] = []
        self._sum = Fraction(0)

    def add(self, text: str) -> None:
        if (found := _number(text)) is not None:
            insort(self._sorted, found)
            self._sum += found

    def remove(self, text: str) -> None:
        if (found := _number(text)) is not None:
            del self._sorted[bisect_left(self._sorted, found)]
            self._sum -= found

    def meet(self, rule: Correlation) -> bool:
        """Whether their sum, average, median or percentile meets the condition; not without a number."""
        return bool(self._sorted) and rule.meets(self._figure(rule))

    def _figure(self, rule: Correlation) -> Any:
        numbers = self._sorted
        if rule.kind == "value_sum":
            return self._sum
        if rule.kind == "value_avg":
            return self._sum / len(numbers)
        if rule.kind == "value_median":
            middle = len(numbers) // 2
            return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2
        return percentile(numbers, rule.percentile)


def _number(text: str) -> Fraction | None:
    found = number(text)
    return None if found is None or not abs(found) < 1e300 else Fraction(found)
