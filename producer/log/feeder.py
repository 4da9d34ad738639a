"""Feeds the log: takes events from the generator when they are due and appends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from producer.events.generator import Batch, Generator
from producer.log.ledger_file import LedgerWriter
from producer.log.log_directory import RecordIds
from producer.log.pacing import Schedule

BATCH = 250  # events appended at a time at most: of more the lines fall out of the processor's cache
_SET_BACK = 10_000_000  # ticks (a second): a clock that goes back further was set, and is followed
# Seconds slept at least, so that readers are woken for batches, not for every event: to wake a reader's
# thread costs as much as to send 100 KB. A hundred readers get 40 batches a second.
_TICK, _TICK_PER_READER, _LONGEST_TICK = 0.005, 0.0002, 0.2


class Sink(Protocol):
    """Where events go: the event log, or standard output."""

    @property
    def is_segment_full(self) -> bool: ...

    def append(self, data: bytes, events: int) -> None: ...

    def is_full(self) -> bool: ...

    def roll(self, record_ids: RecordIds) -> None: ...


@dataclass
class Feeder:
    """Runs in one thread, the only one that generates.

    `observe` sees every batch that was appended, `readers` says how many wait for them.
    """

    generator: Generator
    log: Sink
    schedule: Schedule
    count: int | None
    ledger: LedgerWriter | None
    stop: threading.Event
    every_second: Callable[[], None]
    observe: Callable[[Batch], None]
    readers: Callable[[], int] = lambda: 0
    made: int = 0
    paced: int = 0  # without the history
    late: float = 0.0  # seconds behind the schedule, now
    latest: float = 0.0  # the most that ever was
    elapsed: float = 0.0  # seconds since the pace began
    _next_second: float = 0.0

    def run(self) -> None:
        """Feed until `count` events are made (None: for ever) or `stop` is set (the load ends)."""
        self._feed_history()
        begin, wall = time.monotonic(), time.time_ns() // 100
        while not self.stop.is_set() and (left := self._left()):
            self.elapsed = time.monotonic() - begin
            self._keep_up()
            due = self.schedule.due(self.elapsed) - self.paced
            if due <= 0 or self.log.is_full():
                self._rest(self.schedule.when(self.paced) - self.elapsed)
                continue
            self.late = max(self.elapsed - self.schedule.when(self.paced), 0.0)
            self.latest = max(self.late, self.latest)
            wall = self._feed(min(due, BATCH, left), wall)
        self.elapsed = time.monotonic() - begin

    def _left(self) -> int:
        return BATCH if self.count is None else self.count - self.made

    def _feed_history(self) -> None:
        while not self.stop.is_set() and (left := self._left()):
            batch = self.generator.take_history(min(BATCH, left))
            if not batch.lines:
                return
            while self.log.is_full():
                self._rest(0.0)
            self._append(batch)
            self._keep_up()

    def _feed(self, count: int, since: int) -> int:
        """Append `count` events, stamped evenly from the last batch until now (ticks); returns now."""
        now = time.time_ns() // 100
        if now + _SET_BACK < since:
            since = now - count
        now = max(now, since + count)
        step = (now - since) // count
        self._append(self.generator.take(count, now - step * (count - 1), step))
        self.paced += count
        return now

    def _append(self, batch: Batch) -> None:
        self.log.append(batch.data(), len(batch.lines))
        self.made += len(batch.lines)
        self.observe(batch)
        if self.ledger:
            self.ledger.add(batch, time.monotonic())
        if self.log.is_segment_full:
            # Recovery reads the last segment only, so the ledger must know all that lies before it.
            if self.ledger:
                self.ledger.flush()
            self.log.roll(self.generator.record_ids())

    def _rest(self, seconds: float) -> None:
        tick = _TICK + _TICK_PER_READER * self.readers()
        self.stop.wait(min(max(seconds, tick), _LONGEST_TICK))

    def _keep_up(self) -> None:
        now = time.monotonic()
        if self.ledger:
            self.ledger.write_due(now)
        if now >= self._next_second:
            self._next_second = now + 1.0
            self.every_second()
