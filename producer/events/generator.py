"""Generates events: the same settings always give the same bytes, at any speed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from producer.events.catalogue.event_catalogue import load_catalogue
from producer.events.clock import TICKS_PER_SECOND, time_texts, to_ticks
from producer.events.formats import TIME_STYLES
from producer.events.generator_settings import GeneratorSettings
from producer.events.timeline.story_teller import PendingEvent
from producer.events.timeline.timeline import Timeline


class Event(NamedTuple):
    """One generated event; `line` ends with LF."""

    computer: str
    source: str
    record_id: int
    line: bytes


class Batch(NamedTuple):
    """Events in log order: three lists of one length."""

    pending: list[PendingEvent]
    record_ids: list[int]
    lines: list[bytes]

    def data(self) -> bytes:
        return b"".join(self.lines)

    def last_ids(self) -> dict[tuple[str, str], int]:
        """The last id of each (computer, source) in the batch."""
        return {
            (host.name, template.channel): record_id
            for (_, template, host, _, _), record_id in zip(self.pending, self.record_ids, strict=True)
        }

    def events(self) -> list[Event]:
        return [
            Event(host.name, template.channel, record_id, line)
            for (_, template, host, _, _), record_id, line in zip(*self, strict=True)
        ]


class Generator:
    """An endless stream of events. Not thread-safe: one thread takes, in order."""

    def __init__(self, settings: GeneratorSettings, now: int = 0) -> None:
        """`now`: ticks; the history ends there unless the settings fix a start time.

        Raises CatalogueError, ScenarioError.
        """
        self._settings = settings
        history = int(settings.backfill * TICKS_PER_SECOND)
        self._start = to_ticks(settings.start_time) if settings.start_time else now - history
        # Without a fixed start, the hour of the day does not set the rate: the seed alone decides the events.
        second_of_day = self._start / TICKS_PER_SECOND % 86400.0 if settings.start_time else 0.0
        self._timeline = Timeline(settings, load_catalogue(settings.catalogue), second_of_day)

    def continue_from(self, record_ids: dict[tuple[str, str], int]) -> None:
        """Count on after the last id of each (computer, source)."""
        self._timeline.continue_from(record_ids)

    def scenarios(self) -> list[str]:
        """The names that `inject` accepts."""
        return self._timeline.scenarios()

    def inject(self, scenario: str) -> None:
        """Let this scenario begin with the next event. Raises ScenarioError."""
        self._timeline.inject(scenario)

    def take_history(self, count: int) -> Batch:
        """At most `count` events of the backfill; an empty batch when it is complete."""
        if not self._settings.backfill:
            return Batch([], [], [])
        pending = self._timeline.take_before(self._settings.backfill, count)
        return self._write(pending, self._event_times(pending))

    def take(self, count: int, first: int = 0, step: int = 0) -> Batch:
        """The next `count` events.

        The n-th of them gets the time `first` + n * `step` (ticks), unless the settings fix a start time.
        """
        pending = self._timeline.take(count)
        if self._settings.start_time:
            return self._write(pending, self._event_times(pending))
        return self._write(pending, range(first, first + count * step, step) if step else [first] * count)

    def _event_times(self, pending: list[PendingEvent]) -> list[int]:
        start = self._start
        return [start + int(event[0] * TICKS_PER_SECOND) for event in pending]

    def _write(self, pending: list[PendingEvent], ticks: Sequence[int]) -> Batch:
        record_ids, lines = [], []
        times = time_texts(ticks, TIME_STYLES[self._settings.fmt])
        for (_, template, host, user, story), moment, text in zip(pending, ticks, times, strict=True):
            channel, last = template.channel, host.record_ids
            record_id = last[channel] = last[channel] + 1
            record_ids.append(record_id)
            # One by one: to encode the whole batch would go through memory that no cache holds.
            lines.append(template.write(text, record_id, moment, host, user, story).encode("ascii"))
        return Batch(pending, record_ids, lines)


def generate(settings: GeneratorSettings) -> Iterator[Event]:
    """All events of a run, in log order, without end. Without a start time they begin in 1970."""
    generator = Generator(settings)
    while batch := generator.take_history(500).events():
        yield from batch
    while True:
        yield from generator.take(500, step=1).events()
