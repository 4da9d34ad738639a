"""Plans stories: what happens when, where and to whom. Lines and their values are made later."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import NamedTuple

from producer.events.catalogue.event_catalogue import Catalogue
from producer.events.catalogue.stories import Step, Story
from producer.events.catalogue.values import Draw, Drawn, drawn_values
from producer.events.formats import number_slot, text_slot
from producer.events.hosts import Host, User, shared_values
from producer.events.line_template import LineTemplate, StoryValues, compile_line, compile_parts, fill_known

_BATCH = 256  # delays drawn at a time
_NORMAL_90 = 1.2816  # 90 % quantile of the standard normal distribution

# seconds since the start, template, computer, user, values that the story's events share
PendingEvent = tuple[float, LineTemplate, Host, User, StoryValues]
Start = tuple[float, Host, Story]  # seconds since the start, computer, story


class _PreparedStep(NamedTuple):
    """A step of a story, prepared for use; None where the step does not set a value."""

    chance: float
    times: range
    is_random: bool  # a random number of repetitions; `times` is the range
    next_user: bool
    delays: Iterator[float] | None
    places: list[Host] | None
    template: LineTemplate


class StoryTeller:
    """Turns the starts of stories into events. Not thread-safe.

    Every kind of value has a random stream of its own, named after `stream`, so that the order of fields in a
    format does not move it.
    """

    def __init__(self, catalogue: Catalogue, hosts: list[Host], stream: str, fmt: str, label: str) -> None:
        """`label` begins the ids of stories in the labels; empty for no labels."""
        self._catalogue, self._hosts, self._stream, self._fmt = catalogue, hosts, stream, fmt
        self._label = label
        self._rng = random.Random(stream)
        self._told = 0
        self._shared = shared_values(hosts)
        self._prepared: dict[int, list[_PreparedStep]] = {}
        self._values: dict[str, Iterator[Drawn]] = {}
        self._controllers = [host for host in hosts if host.role == "domain-controller"] or hosts[-1:]

    def tell(self, starts: Iterable[Start], pending: list[PendingEvent]) -> None:
        """Append the events of these stories."""
        random_, known = self._rng.random, self._prepared
        for when, host, story in starts:
            values = self._labelled() if self._label else {}
            users, first = host.users, len(pending)
            user = users[int(random_() * len(users))]
            steps = known.get(id(story)) or self._prepare(story)
            for chance, times, is_random, next_user, delays, places, template in steps:
                if chance < 1.0 and random_() >= chance:
                    continue
                for _ in range(times[int(random_() * len(times))]) if is_random else times:
                    if next_user:
                        user = users[int(random_() * len(users))]
                    if delays:
                        when += next(delays)
                    at = places[int(random_() * len(places))] if places else host
                    pending.append((when, template, at, user, values))
            if self._label:
                values["label.events"] = len(pending) - first

    def _labelled(self) -> StoryValues:
        self._told += 1
        return {"label.id": f"{self._label}{self._told}"}

    def _prepare(self, story: Story) -> list[_PreparedStep]:
        labels = {}
        if self._label:
            labels = {"story": story.name, "story_id": text_slot("label.id")}
            if story.scenario:
                labels |= {"scenario": story.name, "story_events": number_slot("label.events")}
        steps = self._prepared[id(story)] = [self._prepare_step(step, labels) for step in story.steps]
        return steps

    def _prepare_step(self, step: Step, labels: dict[str, str]) -> _PreparedStep:
        low, high = step.repeat
        return _PreparedStep(
            step.chance,
            range(low) if low == high else range(low, high + 1),
            low != high,
            step.user == "next",
            self._delays(*step.delay) if step.delay[1] else None,
            {"same": None, "domain-controller": self._controllers, "next": self._hosts}[step.host],
            self._template(step, labels),
        )

    def _delays(self, median: float, quantile: float) -> Iterator[float]:
        """Log-normal with this median and 90 % quantile: most are short, few are long."""
        if median <= 0.0 or median == quantile:
            return repeat(median)
        sigma = math.log(quantile / median) / _NORMAL_90
        gauss, longest = self._rng.gauss, 20 * quantile

        def draw() -> list[float]:
            return [min(median * math.exp(gauss(0.0, sigma)), longest) for _ in range(_BATCH)]

        return chain.from_iterable(iter(draw, None))

    def _template(self, step: Step, labels: dict[str, str]) -> LineTemplate:
        event_type, tables = self._catalogue.event_types[step.event], self._catalogue.tables
        parts = compile_parts(event_type, step.override, self._fmt, tables, labels)
        write = compile_line(fill_known(parts, self._shared), self._values_of, tables)
        return LineTemplate(event_type, event_type.channel, write)

    def _values_of(self, draw: Draw) -> Iterator[Drawn]:
        values = self._values.get(draw.name)
        if values is None:
            rng = random.Random(f"{self._stream}/{draw.name}")
            values = self._values[draw.name] = drawn_values(draw, self._catalogue.tables, rng)
        return values
