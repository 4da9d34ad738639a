"""Feeds the log: takes events from the generator when they are due and appends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from producer.event_log import EventLog
from producer.generator import Generator
from producer.ledger_file import LedgerWriter
from producer.pacing import Schedule

_BATCH = 1000  # events appended at a time at most
_TICK = 0.005  # seconds slept at least: readers are woken for batches, not for every event


@dataclass
class Feeder:
    """Runs in one thread, the only one that generates."""

    generator: Generator
    log: EventLog
    schedule: Schedule
    count: int | None
    ledger: LedgerWriter | None
    stop: threading.Event
    every_second: Callable[[], None]
    made: int = 0
    _next_second: float = 1.0
    late: float = 0.0  # seconds behind the schedule, now

    def run(self) -> None:
        """Feed until `count` events are made (None: for ever) or `stop` is set."""
        begin, wall = time.monotonic(), time.time_ns() // 100
        while not self.stop.is_set() and (self.count is None or self.made < self.count):
            elapsed = time.monotonic() - begin
            self._keep_up(elapsed)
            due = self.schedule.due(elapsed) - self.made
            if due <= 0 or self.log.is_full():
                self._rest(self.schedule.when(self.made) - elapsed)
                continue
            self.late = max(elapsed - self.schedule.when(self.made), 0.0)
            wall = self._feed(min(due, _BATCH), wall)

    def _feed(self, due: int, since: int) -> int:
        """Append `due` events, stamped evenly from the last batch until now (ticks); returns now."""
        count = due if self.count is None else min(due, self.count - self.made)
        now = max(time.time_ns() // 100, since + count)
        step = (now - since) // count
        batch = self.generator.take(count, now - step * (count - 1), step)
        self.log.append(batch.data(), count)
        self.made += count
        if self.ledger:
            self.ledger.add(batch, time.monotonic())
        if self.log.is_segment_full:
            self._roll()
        return now

    def _roll(self) -> None:
        # Recovery reads the last segment only, so the ledger must know all that lies before it.
        if self.ledger:
            self.ledger.flush()
        self.log.roll(self.generator.record_ids())

    def _rest(self, seconds: float) -> None:
        self.stop.wait(min(max(seconds, _TICK), 0.2))

    def _keep_up(self, elapsed: float) -> None:
        if self.ledger:
            self.ledger.write_due(time.monotonic())
        if elapsed >= self._next_second:
            self._next_second = elapsed + 1.0
            self.every_second()
