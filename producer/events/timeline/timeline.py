"""The order of events: which story starts where and when, and whose turn it is."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Generator, Iterator
from functools import partial
from itertools import accumulate, chain
from math import log
from operator import itemgetter

from producer.events.catalogue.event_catalogue import Catalogue
from producer.events.catalogue.stories import Story
from producer.events.generator_settings import GeneratorSettings
from producer.events.hosts import ROLE_SHARE, ROLES, make_hosts
from producer.events.timeline.rate_pattern import make_warp
from producer.events.timeline.scenarios import ScenarioError, parse_scenario
from producer.events.timeline.starts import Picks, make_picks
from producer.events.timeline.story_teller import PendingEvent, Start, StoryTeller

Scenario = Generator[None, float, None]  # receives how far event time has come

_STARTS, _STARTS_PER_HOST = 256, 2  # stories planned at a time: more events in wait take longer to sort
_when = itemgetter(0)  # of a pending event


class Timeline:
    """Draws starts in event time, plans their stories, and returns events in order of time.

    Each scenario draws from a stream of its own, so that adding one leaves the other stories as they were.
    """

    def __init__(self, settings: GeneratorSettings, catalogue: Catalogue, second_of_day: float) -> None:
        self._settings, self._catalogue = settings, catalogue
        self._rng = random.Random(self._stream("starts"))
        self._hosts = make_hosts(settings.hosts, settings.profile, settings.run, settings.seed)
        self._teller = self._make_teller(self._stream("stories"), "s")
        picks = {role: make_picks(catalogue, settings.profile, role, settings.channel_mix) for role in ROLES}
        self._stories = {role: self._draw_stories(role, own) for role, own in picks.items()}
        self._pending: list[PendingEvent] = []
        self._ready: list[PendingEvent] = []
        self._steady = self._now = 0.0
        self._injected = 0
        shares = [ROLE_SHARE[host.role] for host in self._hosts]
        self._together = max(_STARTS, _STARTS_PER_HOST * len(self._hosts))
        self._shares = list(accumulate(shares))
        means = [
            picks[host.role].mean_events * share for host, share in zip(self._hosts, shares, strict=True)
        ]
        rate = settings.host_rate * len(self._hosts)
        self._gap = sum(means) / sum(shares) / rate
        # Arrivals are exponential already, which is what `poisson` asks for.
        pattern = "constant" if settings.rate_pattern == "poisson" else settings.rate_pattern
        # The name of a stream is a part of its seed: with another one, a seed would give other times.
        self._warp = make_warp(pattern, rate, second_of_day, random.Random(self._stream("shape")))
        self._scenarios = [self._schedule(number, spec) for number, spec in enumerate(settings.scenarios)]

    def continue_from(self, record_ids: dict[tuple[str, str], int]) -> None:
        """Count on after these last ids."""
        hosts = {host.name: host for host in self._hosts}
        for (computer, source), last in record_ids.items():
            if computer in hosts:
                hosts[computer].record_ids[source] = last

    def scenarios(self) -> list[str]:
        """The names of the catalogue's scenarios."""
        return sorted(story.name for story in self._catalogue.stories.values() if story.scenario)

    def inject(self, name: str) -> None:
        """Let the scenario `name` begin with the next event. Raises ScenarioError."""
        if name not in self.scenarios():
            raise ScenarioError(f"no scenario {name!r}; known: {', '.join(self.scenarios())}")
        self._injected += 1
        stream = self._stream(f"injected/{self._injected}/{name}")
        host = self._hosts[random.Random(stream).randrange(len(self._hosts))]
        told: list[PendingEvent] = []
        begin = self._ready[0][0] if self._ready else self._now
        story = self._catalogue.stories[name]
        self._make_teller(stream, f"i{self._injected}-").tell([(begin, host, story)], told)
        self._ready = sorted((*told, *self._ready), key=_when)
        cut = bisect_right(self._ready, self._now, key=_when)
        self._pending += self._ready[cut:]
        del self._ready[cut:]

    def take(self, count: int) -> list[PendingEvent]:
        """The next `count` events, in order of time."""
        while len(self._ready) < count:
            self._advance()
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def take_before(self, moment: float, count: int) -> list[PendingEvent]:
        """At most `count` of the next events, as far as they lie before `moment` (seconds of event time)."""
        taken = self.take(count)
        cut = bisect_right(taken, moment, key=_when)
        self._ready[:0] = taken[cut:]
        return taken[:cut]

    def _stream(self, name: str) -> str:
        return f"win-event/{self._settings.seed}/{self._settings.run}/{name}"

    def _make_teller(self, stream: str, prefix: str) -> StoryTeller:
        settings = self._settings
        # Ids of stories stay unique in a topic that several runs and producers of other seeds have written.
        label = f"{settings.seed}.{settings.run}.{prefix}" if settings.labels else ""
        return StoryTeller(self._catalogue, self._hosts, stream, settings.fmt, label)

    def _advance(self) -> None:
        """Plan the next stories.

        Events before the last start are final, because later stories start later.
        """
        pending = self._pending
        starts = self._draw_starts()
        self._teller.tell(starts, pending)
        self._now = starts[-1][0]
        for scenario in self._scenarios:
            scenario.send(self._now)
        pending.sort(key=_when)  # stable: of two events at the same time, the one planned first comes first
        settled = bisect_right(pending, self._now, key=_when)
        self._ready += pending[:settled]
        self._pending = pending[settled:]

    def _draw_starts(self) -> list[Start]:
        random_, mean, steady = self._rng.random, self._gap, self._steady
        times = [steady := steady - log(1.0 - random_()) * mean for _ in range(self._together)]
        self._steady = steady
        if self._warp:
            times = list(map(self._warp.patterned, times))
        hosts = self._rng.choices(self._hosts, cum_weights=self._shares, k=len(times))
        return [(when, host, next(self._stories[host.role])) for when, host in zip(times, hosts, strict=True)]

    def _schedule(self, number: int, spec: str) -> Scenario:
        plan = parse_scenario(spec, self.scenarios())
        stream = self._stream(f"scenario/{number}/{spec}")
        rng, teller = (
            random.Random(f"{stream}/starts"),
            self._make_teller(stream, f"x{number}-"),
        )
        story, starts = self._catalogue.stories[plan.name], plan.starts(rng)

        def start_until() -> Scenario:
            now = yield
            for when in starts:
                while when > now:
                    now = yield
                host = self._hosts[int(rng.random() * len(self._hosts))]
                teller.tell([(when, host, story)], self._pending)
            while True:
                yield

        scenario = start_until()
        next(scenario)
        return scenario

    def _draw_stories(self, role: str, picks: Picks) -> Iterator[Story]:
        rng = random.Random(self._stream(f"starts/{role}"))
        draw = partial(rng.choices, picks.stories, cum_weights=picks.cumulative, k=_STARTS)
        return chain.from_iterable(iter(draw, None))
