"""Feeds the log: takes events from their source when they are due and appends them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from producer.log.event_log import LogRefusedError
from producer.log.load_control import LoadControl
from producer.log.pacing import Schedule

_log = logging.getLogger("producer.log")

BATCH = 250  # most events appended at a time: the lines of more do not fit into the processor's cache
_SET_BACK = 10_000_000  # ticks (one second): a clock that goes back further was changed, and is followed
# Shortest sleep in seconds. Readers are woken for batches, not for every event, because waking a reader's
# thread costs as much as sending 100 KB. A hundred readers get 40 batches per second.
_TICK, _TICK_PER_READER, _LONGEST_TICK = 0.005, 0.0002, 0.2


class Lines(Protocol):
    """Events in log order."""

    @property
    def lines(self) -> Sequence[bytes]: ...


class Source(Protocol):
    """A source of events, which also appends them to the log and to the ledger."""

    @property
    def is_over(self) -> bool: ...

    def take_history(self, count: int) -> Lines:
        """At most so many of the events that come before paced generation begins."""

    def take(self, count: int, first: int, step: int) -> Lines:
        """At most `count` events: fewer, or none, where no more are there yet, or `is_over`.

        The n-th happens at `first` + n * `step` (ticks), if the source allows times to be set.
        """

    def append(self, batch: Any) -> None:
        """Raises LogRefusedError: then nothing was appended, and the same batch may come again."""

    def is_full(self) -> bool: ...

    def inject(self, scenario: str) -> None: ...


@dataclass
class Feeder:
    """Runs in one thread, the only one that reads the source.

    `schedule_of` makes the schedule for a rate, `readers` returns how many readers wait for events.
    """

    source: Source
    control: LoadControl
    schedule_of: Callable[[float | None], Schedule]
    count: int | None
    stop: threading.Event
    readers: Callable[[], int] = lambda: 0
    made: int = 0
    paced: int = 0  # without the history
    late: float = 0.0  # seconds behind the schedule, now
    latest: float = 0.0  # the maximum so far
    elapsed: float = 0.0  # seconds of paced generation so far, without pauses

    def run(self) -> None:
        """Feed until `count` events are made (None: for ever) or `stop` is set (the load ends)."""
        self._feed_history()
        while not self.stop.is_set() and self._left():
            if self.control.is_running:
                self._feed_at_pace()
            else:
                self.late = 0.0
                self.stop.wait(_LONGEST_TICK)
        self.control.is_over = True

    def _left(self) -> int:
        if self.source.is_over:
            return 0
        return BATCH if self.count is None else self.count - self.made

    def _feed_history(self) -> None:
        while not self.stop.is_set() and (left := self._left()):
            batch = self.source.take_history(min(BATCH, left))
            if not batch.lines:
                return
            self._append(batch)

    def _feed_at_pace(self) -> None:
        """Feed at the rate of the control until the control changes."""
        version, schedule = self.control.version, self.schedule_of(self.control.rate)
        earlier, paced = self.elapsed, self.paced
        begin, wall = time.monotonic(), time.time_ns() // 100
        while not self.stop.is_set() and (left := self._left()) and self.control.version == version:
            elapsed = time.monotonic() - begin
            self.elapsed = earlier + elapsed
            due = schedule.due(elapsed) - (self.paced - paced)
            if due <= 0 or self.source.is_full():
                self._rest(schedule.when(self.paced - paced) - elapsed)
                continue
            self.late = max(elapsed - schedule.when(self.paced - paced), 0.0)
            self.latest = max(self.late, self.latest)
            for scenario in self.control.take_scenarios():
                self.source.inject(scenario)
            before, wall = self.paced, self._feed(min(due, BATCH, left), wall)
            if self.paced == before:  # a pipe may pause; the missing events are not made up for
                break
        self.elapsed = earlier + time.monotonic() - begin

    def _feed(self, count: int, since: int) -> int:
        """Append `count` events, stamped evenly from the last batch until now (ticks); returns now."""
        now = time.time_ns() // 100
        if now + _SET_BACK < since:
            since = now - count
        now = max(now, since + count)
        step = (now - since) // count
        batch = self.source.take(count, now - step * (count - 1), step)
        if not batch.lines:
            self._rest(0.0)
        elif self._append(batch):
            self.paced += len(batch.lines)
        return now

    def _append(self, batch: Lines) -> bool:
        """Wait while the log refuses. False if the load ended first; then nobody has seen the batch."""
        refused = ""
        while True:
            try:
                self.source.append(batch)
                break
            except LogRefusedError as error:
                if refused != str(error):
                    refused = str(error)
                    _log.warning("events wait: %s", refused)
            if self.stop.wait(_LONGEST_TICK):
                return False
        if refused:
            _log.warning("events are appended again")
        self.made += len(batch.lines)
        return True

    def _rest(self, seconds: float) -> None:
        tick = _TICK + _TICK_PER_READER * self.readers()
        self.stop.wait(min(max(seconds, tick), _LONGEST_TICK))
