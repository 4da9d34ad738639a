"""The order of events: which story starts where and when, and whose turn it is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from producer.event_catalogue import Catalogue
from producer.hosts import ROLE_SHARE, ROLES, Host, make_hosts
from producer.stories import Step, Story
from producer.story_teller import PendingEvent, Sequence, StoryTeller

if TYPE_CHECKING:
    from producer.generator import GeneratorSettings

_STARTS = 256  # stories told at a time
_SINGLE = Step("", (0.0, 0.0), 1.0, (1, 1), {}, "same", "same")


class Timeline:
    """Draws starts in event time, tells them, and hands out events by their time."""

    def __init__(self, settings: GeneratorSettings, catalogue: Catalogue) -> None:
        self._rng = rng = random.Random(f"win-event/{settings.seed}/{settings.run}")
        people = random.Random(f"win-event/{settings.seed}/hosts")
        self._hosts = make_hosts(settings.hosts, settings.profile, settings.run, people)
        self._teller = StoryTeller(catalogue, self._hosts, settings.fmt, settings.labels, rng, "s")
        self._sequences: dict[tuple[int, str], Sequence] = {}
        self._teller.use_sequences(self._sequences)
        self._picks = {
            role: _picks(catalogue, settings.profile, role, settings.channel_mix) for role in ROLES
        }
        self._pending: list[PendingEvent] = []
        self._ready: list[PendingEvent] = []
        self._now = 0.0
        shares = [ROLE_SHARE[host.role] for host in self._hosts]
        self._starts = self._draw_starts(list(accumulate(shares)))
        mean = sum(
            share * self._picks[host.role].mean_events
            for host, share in zip(self._hosts, shares, strict=True)
        )
        self._gap = mean / sum(shares) / (settings.host_rate * len(self._hosts))

    def continue_from(self, record_ids: dict[tuple[str, str], int]) -> None:
        index = {host.name: host.index for host in self._hosts}
        for (computer, source), last in record_ids.items():
            if computer in index:
                self._sequences[index[computer], source] = Sequence(computer, source, last)

    def sequences(self) -> list[Sequence]:
        return list(self._sequences.values())

    def take(self, count: int) -> list[PendingEvent]:
        """The next `count` events by time."""
        while len(self._ready) < count:
            self._advance()
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def _advance(self) -> None:
        """Tell the next stories; what lies before the last start is settled, as later stories start later."""
        draw_gap, rate, tell, pending = (
            self._rng.expovariate,
            1.0 / self._gap,
            self._teller.tell,
            self._pending,
        )
        for _ in range(_STARTS):
            self._now += draw_gap(rate)
            host, story = next(self._starts)
            tell(story, host, self._now, pending)
        pending.sort()
        settled = _count_until(pending, self._now)
        self._ready += pending[:settled]
        self._pending = pending[settled:]

    def _draw_starts(self, cumulative: list[float]) -> Iterator[tuple[Host, Story]]:
        streams = {role: self._draw_stories(picks) for role, picks in self._picks.items()}
        while True:
            for host in self._rng.choices(self._hosts, cum_weights=cumulative, k=_STARTS):
                yield host, next(streams[host.role])

    def _draw_stories(self, picks: Picks) -> Iterator[Story]:
        while True:
            yield from self._rng.choices(picks.stories, cum_weights=picks.cumulative, k=_STARTS)


def _count_until(pending: list[PendingEvent], now: float) -> int:
    low, high = 0, len(pending)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if pending[middle][0] <= now else (low, middle)
    return low


class Picks:
    """What may start on a computer of one role, with running weights."""

    def __init__(self, weighted: list[tuple[Story, float]]) -> None:
        self.stories = [story for story, _ in weighted]
        self.cumulative = list(accumulate(weight for _, weight in weighted))
        self.mean_events = (
            sum(story.mean_events() * weight for story, weight in weighted) / self.cumulative[-1]
        )


def _picks(catalogue: Catalogue, profile: str, role: str, mix: dict[str, float]) -> Picks:
    """Weigh stories and single events so that the channels get their share of the events."""
    weighted: list[tuple[Story, float]] = []
    for channel, share in mix.items():
        starts = [
            (story, weight)
            for story, own in _candidates(catalogue, channel)
            if (weight := own[role] + (own["audit-all"] if profile == "audit-all" else 0.0))
        ]
        events = sum(story.mean_events() * weight for story, weight in starts)
        weighted += [(story, weight * share / events) for story, weight in starts if share]
    return Picks(weighted)


def _candidates(catalogue: Catalogue, channel: str) -> list[tuple[Story, dict[str, float]]]:
    """The stories that begin in `channel`, and each of its event types as a story of its own."""
    stories = [
        (story, story.weight)
        for story in catalogue.stories.values()
        if not story.scenario and story.steps[0].event.startswith(channel + "/")
    ]
    singles = [
        (Story("background", event.weight, False, (_single(name),)), event.weight)
        for name, event in catalogue.event_types.items()
        if event.channel == channel
    ]
    return stories + singles


def _single(name: str) -> Step:
    return Step(name, *(_SINGLE.delay, _SINGLE.chance, _SINGLE.repeat, {}, "same", "same"))
