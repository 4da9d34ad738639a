"""Tells stories: turns one start of a story into rendered events that share its values."""

from __future__ import annotations

import math
import random

from producer.event_catalogue import Catalogue
from producer.formats import text_slot
from producer.hosts import Host, User
from producer.line_template import (
    FIRST_VALUE,
    LineTemplate,
    Parts,
    Sequence,
    Sequences,
    bake,
    compile_parts,
    depends_on_user,
)
from producer.stories import Step, Story
from producer.values import Fill, draw_of, make_fill

_BAKED_HOSTS = (
    40  # up to so many computers, templates are baked for each of them and its people: faster lines
)
_CACHED_TEMPLATES = 20_000  # about 40 MB; beyond that, templates are baked again rather than kept
_NORMAL_90 = 1.2816  # 90 % quantile of the standard normal distribution

# seconds since the start, running number, sequence, template, its row with the values filled in
PendingEvent = tuple[float, int, Sequence, LineTemplate, list[str]]


class StoryTeller:
    """Renders steps. Every kind of value has a random stream of its own, named after `stream`, so neither the
    order of fields in a format nor another story moves it. Not thread-safe."""

    def __init__(
        self,
        catalogue: Catalogue,
        hosts: list[Host],
        sequences: Sequences,
        stream: str,
        fmt: str,
        label: str,
    ) -> None:
        """`label` begins the ids of stories in the labels; empty for no labels."""
        self._catalogue, self._hosts, self._sequences = catalogue, hosts, sequences
        self._stream, self._fmt, self._label = stream, fmt, label
        self._rng = random.Random(stream)
        self._parts: dict[int, Parts] = {}
        self._fills: dict[str, Fill] = {}
        self._baked: dict[tuple[int, int, int], LineTemplate] = {}
        self._bakes_hosts = len(hosts) <= _BAKED_HOSTS
        self._controllers = [host for host in hosts if host.role == "domain-controller"] or hosts[-1:]
        self.told = 0
        self.rendered = 0

    def tell(self, story: Story, host: Host, when: float, pending: list[PendingEvent]) -> None:
        """Append the events of `story`, which starts at `when` (seconds) on `host`."""
        random_, user = self._rng.random, self._someone(host)
        self.told += 1
        context = {"label.id": f"{self._label}{self.told}"} if self._label else {}
        for step in story.steps:
            if step.chance < 1.0 and random_() >= step.chance:
                continue
            low, high = step.repeat
            for _ in range(low if low == high else self._rng.randint(low, high)):
                if step.user == "next":
                    user = self._someone(host)
                if step.delay[1]:
                    when += self._delay(step)
                at = host if step.host == "same" else self._elsewhere(step)
                self._render(story, step, at, user, when, context, pending)

    def _someone(self, host: Host) -> User:
        users = host.users
        return users[int(self._rng.random() * len(users))]

    def _elsewhere(self, step: Step) -> Host:
        places = self._controllers if step.host == "domain-controller" else self._hosts
        return places[int(self._rng.random() * len(places))]

    def _delay(self, step: Step) -> float:
        """Log-normal with the step's median and 90 % quantile: most are short, few are long."""
        median, quantile = step.delay
        if median <= 0.0 or median == quantile:
            return median
        sigma = math.log(quantile / median) / _NORMAL_90
        return min(median * math.exp(self._rng.gauss(0.0, sigma)), 20 * quantile)

    def _render(
        self, story: Story, step: Step, host: Host, user: User, when: float,
        context: dict[str, str], pending: list[PendingEvent],
    ) -> None:  # fmt: skip
        if self._bakes_hosts:
            key = (id(step), host.index, user.index)
        else:
            key = (id(step), -1, -1)
            context.update(host.escaped)
            context.update(user.escaped)
        template = self._baked.get(key)
        if template is None:
            template = self._bake(key, story, step, host, user)
        for name, fill in template.story_fills:
            if name not in context:
                fill(context, host)
        for fill in template.event_fills:
            fill(context, host)
        row = template.row[:]
        if template.values:
            row[FIRST_VALUE::2] = template.values(context)
        self.rendered = number = self.rendered + 1
        pending.append((when, number, template.sequence or self._sequence(host, step), template, row))

    def _sequence(self, host: Host, step: Step) -> Sequence:
        key = (host.index, self._catalogue.event_types[step.event].channel)
        sequence = self._sequences.get(key)
        if sequence is None:
            sequence = self._sequences[key] = Sequence(host.name, key[1])
        return sequence

    def _bake(
        self, key: tuple[int, int, int], story: Story, step: Step, host: Host, user: User
    ) -> LineTemplate:
        if len(self._baked) >= _CACHED_TEMPLATES:
            self._baked.clear()
        event_type = self._catalogue.event_types[step.event]
        parts = self._parts.get(key[0])
        if parts is None:
            labels = _labels(story) if self._label else {}
            parts = compile_parts(event_type, step.override, self._fmt, self._catalogue.tables, labels)
            self._parts[key[0]] = parts
        if not self._bakes_hosts:
            template = self._baked[key] = bake(event_type, parts, self._fill, None, {})
            return template
        alone = (*key[:2], -1)  # of an event that names nobody one template serves all users
        known = self._baked.get(alone)
        if known is None or depends_on_user(parts):
            known = bake(
                event_type, parts, self._fill, self._sequence(host, step), host.escaped | user.escaped
            )
        self._baked[key] = self._baked[alone] = known
        return known

    def _fill(self, kind: str) -> Fill:
        draw = draw_of(kind)
        fill = self._fills.get(draw)
        if fill is None:
            own = random.Random(f"{self._stream}/{draw}")
            fill = self._fills[draw] = make_fill(kind, self._catalogue.tables, own)
        return fill


def _labels(story: Story) -> dict[str, str]:
    labels = {"story": story.name, "story_id": text_slot("label.id")}
    return labels | ({"scenario": story.name} if story.scenario else {})
