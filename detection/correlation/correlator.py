"""All correlations of a rule set: takes hits, returns bursts. Pure."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from detection.correlation.bounds import DEFAULT_BOUNDS, Bounds
from detection.correlation.clock import END, NEVER
from detection.correlation.definition import NUMBERS, Correlation
from detection.correlation.window import Burst, Entry, Window
from detection.matching.rule_fields import ABSENT
from producer.events.event_time import TICKS, to_text

Group = tuple[str, ...]
Read = Callable[[str], str]
"""The text of a field of an event by its name; ABSENT if it is missing."""

MARGIN = 60 * TICKS
_LONGEST_STEP = 300 * TICKS  # between two looks at all groups of a correlation
_LONGEST = 256  # characters of a group value that are stored


class Occurrence(NamedTuple):
    """An event that a correlation counts: a hit of rule `key`, or the burst of another correlation."""

    key: str
    time: int
    identity: str
    read: Read


class Change(NamedTuple):
    """A burst that began or grew; `group`: the values as written in the first event.

    `over`: it cannot change any more. `into`: the burst that it is a part of.
    """

    correlation: Correlation
    group: Group
    burst: Burst
    over: bool = False
    into: Burst | None = None

    @property
    def alert_id(self) -> str:
        return _id_of(self, self.burst)

    @property
    def merged_into(self) -> str | None:
        """The id of the alert that this one became a part of, or None."""
        return None if self.into is None else _id_of(self, self.into)


class Told(NamedTuple):
    """A burst as it is in the topic of alerts. Its event times are in ticks."""

    id: str
    first: int
    last: int
    detected: str
    evidence: tuple[str, ...] = ()
    events: int = 0


@dataclass
class State:
    """The window of one group, with the group's values as written in its first event."""

    shown: Group
    window: Window = field(default_factory=Window)


class Correlator:
    """Has the windows of every group. `lost`: events and groups that were dropped because of the bounds.

    `delays`: by key, the ticks by which an occurrence may come later than an event of the same time.
    `margin`: ticks behind the watermark where an event is certainly too late. (An input that was silent may
    set the watermark back.)
    """

    def __init__(
        self, correlations: Iterable[Correlation], bounds: Bounds = DEFAULT_BOUNDS, margin: int = MARGIN
    ) -> None:
        self._correlations = list(correlations)
        self._bounds, self._margin = bounds, margin
        self._listening: dict[str, list[Correlation]] = {}
        for each in self._correlations:
            for key in dict.fromkeys(each.refers_to):
                self._listening.setdefault(key, []).append(each)
        # A plain dict looks for its first key behind all that were removed before it.
        self._groups = {each.head.key: OrderedDict[Group, State]() for each in self._correlations}
        self.delays = _delays(self._correlations)
        self._watermark = NEVER
        self._swept: dict[str, int] = {}
        self._told: dict[tuple[str, Group], list[Told]] = {}
        self.lost = 0

    def listens(self, key: str) -> bool:
        return key in self._listening

    def take(self, occurrence: Occurrence) -> Iterator[Change]:
        """Add an occurrence; returns the changes of the correlations that refer to it, directly or not."""
        for correlation in self._listening.get(occurrence.key, ()):
            group = group_key(correlation, occurrence)
            if group is None:
                continue
            yield from self._put(correlation, group, occurrence)

    def advance(self, watermark: int, lateness: int) -> Iterator[Change]:
        """Move event time forward.

        Evaluate waiting windows, and remove events that no event in time can need.
        """
        for correlation in self._correlations:
            key = correlation.head.key
            step = max(min(correlation.span // 8, _LONGEST_STEP), lateness // 8, 1)
            if correlation.on_arrival and 0 <= watermark - self._swept.get(key, NEVER) < step:
                continue
            self._swept[key] = watermark
            yield from self._sweep(correlation, watermark)
        self._watermark = watermark

    def wakes(self, time: int) -> Iterator[int]:
        """The watermarks at which an event of this time is evaluated, or not needed any more."""
        for correlation in self._correlations:
            until = time + self.delays[correlation.head.key]
            if not correlation.on_arrival:
                yield until
            if correlation.forgets:  # one for all events of a margin
                yield (until // self._margin + 2) * self._margin
            yield until + correlation.span

    def finish(self) -> Iterator[Change]:
        """End: no more events come, so every window is complete."""
        for correlation in self._correlations:
            yield from self._sweep(correlation, END)

    def end_all_but(self, same: Callable[[str], bool]) -> Iterator[Change]:
        """The last report of the bursts of all other correlations, which get new rules."""
        for correlation in self._correlations:
            if not same(correlation.head.key):
                for state in self._groups[correlation.head.key].values():
                    for burst in state.window.bursts:
                        yield Change(correlation, state.shown, burst, over=True)

    def adopt(self, other: Correlator, same: Callable[[str], bool]) -> None:
        """Take over the windows of the correlations that did not change."""
        for key in self._groups:
            if key in other._groups and same(key):
                self._groups[key] = other._groups[key]
                self._swept[key] = other._swept.get(key, 0)
        self.lost, self._told = other.lost, other._told

    def remember(self, key: str, group: Group, told: Told) -> None:
        """Add a burst that an earlier run has reported: if it is found again, it keeps its id."""
        self._told.setdefault((key, folded_group(group)), []).append(told)

    @property
    def state(self) -> dict[str, OrderedDict[Group, State]]:
        """All windows, for storage elsewhere."""
        return self._groups

    @state.setter
    def state(self, kept: dict[str, OrderedDict[Group, State]]) -> None:
        self._groups |= {key: groups for key, groups in kept.items() if key in self._groups}

    @property
    def held(self) -> int:
        """The number of stored events."""
        return sum(len(state.window.times) for groups in self._groups.values() for state in groups.values())

    def _put(self, correlation: Correlation, group: Group, occurrence: Occurrence) -> Iterator[Change]:
        states = self._groups[correlation.head.key]
        folded = folded_group(group)
        state = states.get(folded)
        if state is None:
            if len(states) >= self._bounds.groups:
                yield from self._forget(correlation, states)
            state = states[folded] = State(group)
        window, dropped = state.window, state.window.dropped
        for place in _places(correlation, occurrence.key):
            value = _value(correlation, occurrence)
            if value is None:
                return
            entry = Entry(place, occurrence.identity, value)
            for burst in window.add(correlation, occurrence.time, entry, self._bounds.window):
                yield from self._changed(correlation, state, burst)
            yield from _absorbed(correlation, state)
        self.lost += window.dropped - dropped
        if correlation.forgets and len(window.times) >= window.full:
            # What the sweep that is going on still brings may be as old as the watermark before it.
            yield from self._evict(correlation, state, self._watermark)

    def _forget(self, correlation: Correlation, states: OrderedDict[Group, State]) -> Iterator[Change]:
        """The group that began first; its bursts have no further word."""
        _, state = states.popitem(last=False)
        self.lost += 1
        for burst in state.window.bursts:
            yield Change(correlation, state.shown, burst, over=True)

    def _changed(self, correlation: Correlation, state: State, burst: Burst) -> Iterator[Change]:
        new = burst.told == 0
        if new:
            known = self._told.get((correlation.head.key, folded_group(state.shown)), ())
            same = [each for each in known if each.first <= burst.last and each.last >= burst.first]
            if same:
                told = same[-1]
                burst.name, burst.detected = told.id, told.detected
                if told.first < burst.first:  # it began before the events that were read again
                    state.window.continue_from(burst, told.first, told.last, told.evidence, told.events)
        change = Change(correlation, state.shown, burst)
        yield change
        if new:
            burst.told = max(burst.told, 1)
            if any(whole is burst and part.told for part, whole in state.window.absorbed):
                return  # correlations of bursts have counted its part already
            yield from self.take(
                Occurrence(
                    correlation.head.key, burst.met, change.alert_id, _reader(correlation, state.shown)
                )
            )

    def _sweep(self, correlation: Correlation, watermark: int) -> Iterator[Change]:
        groups = self._groups[correlation.head.key]
        # An event of the very time of the watermark is still in time.
        complete = watermark - self.delays[correlation.head.key] - 1
        for folded, state in list(groups.items()):
            for burst in state.window.judge(correlation, complete):
                yield from self._changed(correlation, state, burst)
            yield from _absorbed(correlation, state)
            yield from self._evict(correlation, state, watermark)
            if state.window.empty:
                del groups[folded]

    def _evict(self, correlation: Correlation, state: State, watermark: int) -> Iterator[Change]:
        newest = watermark - self.delays[correlation.head.key]
        for burst in state.window.evict(correlation, newest - correlation.span, newest - self._margin):
            yield Change(correlation, state.shown, burst, over=True)


def _delays(correlations: Iterable[Correlation]) -> dict[str, int]:
    """See Correlator: the burst of a correlation that waits comes when its window is over."""
    delays: dict[str, int] = {}
    of_bursts: dict[str, int] = {}
    for each in correlations:  # each refers only to those before it
        delay = max((of_bursts.get(key, 0) for key in each.refers_to), default=0)
        delays[each.head.key] = delay
        of_bursts[each.head.key] = delay + (0 if each.on_arrival else each.span)
    return delays


def _absorbed(correlation: Correlation, state: State) -> Iterator[Change]:
    parts, state.window.absorbed = state.window.absorbed, []
    for part, whole in parts:
        yield Change(correlation, state.shown, part, over=True, into=whole)


def _id_of(change: Change, burst: Burst) -> str:
    return burst.name or alert_id(change.correlation.head.key, change.group, to_text(burst.began))


def folded_group(group: Group) -> Group:
    return tuple(value.lower() for value in group)


def alert_id(key: str, group: Iterable[str], began: str) -> str:
    """The id of an alert, which is always the same for the same burst."""
    return hashlib.sha256("\x1f".join((key, *(each.lower() for each in group), began)).encode()).hexdigest()[
        :32
    ]


def short(value: str) -> str:
    """The value, short enough for a key: a long one ends with its hash."""
    if len(value) <= _LONGEST:
        return value
    return f"{value[: _LONGEST - 20]}…{hashlib.sha256(value.encode(errors='replace')).hexdigest()[:16]}"


def group_key(correlation: Correlation, occurrence: Occurrence) -> Group | None:
    """The key of the group; None if a field is missing, because then the event belongs to no group."""
    found = [occurrence.read(correlation.field_for(name, occurrence.key)) for name in correlation.group_by]
    return None if ABSENT in found else tuple(map(short, found))


def _places(correlation: Correlation, key: str) -> tuple[int, ...]:
    places = tuple(at for at, each in enumerate(correlation.refers_to) if each == key)
    return places if correlation.kind in ("temporal", "temporal_ordered") else places[:1]


def _value(correlation: Correlation, occurrence: Occurrence) -> str | None:
    """The value to count; None if the event does not have the field."""
    if correlation.value_field is None:
        return ""
    value = occurrence.read(correlation.field_for(correlation.value_field, occurrence.key))
    if value is ABSENT or value == ABSENT:
        return None
    return value if correlation.kind in NUMBERS else short(value).lower()


def _reader(correlation: Correlation, group: Group) -> Read:
    """Reads fields of a burst: those of its group."""
    fields = dict(zip(correlation.group_by, group, strict=True))
    return lambda name: fields.get(name, ABSENT)
