"""Feeds the log: takes events from the generator when they are due and appends them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from producer.events.generator import Batch, Generator
from producer.log.event_log import LogRefusedError
from producer.log.ledger_file import LedgerWriter
from producer.log.load_control import LoadControl
from producer.log.pacing import Schedule
from producer.log.recovery import RecordIds

_log = logging.getLogger("producer.log")

BATCH = 250  # events appended at a time at most: of more the lines fall out of the processor's cache
_SET_BACK = 10_000_000  # ticks (a second): a clock that goes back further was set, and is followed
# Seconds slept at least, so that readers are woken for batches, not for every event: to wake a reader's
# thread costs as much as to send 100 KB. A hundred readers get 40 batches a second.
_TICK, _TICK_PER_READER, _LONGEST_TICK = 0.005, 0.0002, 0.2


class Sink(Protocol):
    """Where events go: the event log, or standard output."""

    def append(
        self,
        data: bytes,
        events: int,
        last_ids: Callable[[], RecordIds],
        entered: Callable[[], object] | None,
    ) -> object: ...

    def is_full(self) -> bool: ...


@dataclass
class Feeder:
    """Runs in one thread, the only one that generates.

    `schedule_of` makes the schedule of a rate, `observe` sees every batch that was appended, `readers` says
    how many wait for them.
    """

    generator: Generator
    log: Sink
    control: LoadControl
    schedule_of: Callable[[float | None], Schedule]
    count: int | None
    ledger: LedgerWriter | None
    stop: threading.Event
    observe: Callable[[Batch], None]
    readers: Callable[[], int] = lambda: 0
    made: int = 0
    paced: int = 0  # without the history
    late: float = 0.0  # seconds behind the schedule, now
    latest: float = 0.0  # the most that ever was
    elapsed: float = 0.0  # seconds under way since the pace began, without rests

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
        return BATCH if self.count is None else self.count - self.made

    def _feed_history(self) -> None:
        while not self.stop.is_set() and (left := self._left()):
            batch = self.generator.take_history(min(BATCH, left))
            if not batch.lines:
                return
            self._append(batch)

    def _feed_at_pace(self) -> None:
        """Feed as the control says, until it says something else."""
        version, schedule = self.control.version, self.schedule_of(self.control.rate)
        earlier, paced = self.elapsed, self.paced
        begin, wall = time.monotonic(), time.time_ns() // 100
        while not self.stop.is_set() and (left := self._left()) and self.control.version == version:
            elapsed = time.monotonic() - begin
            self.elapsed = earlier + elapsed
            due = schedule.due(elapsed) - (self.paced - paced)
            if due <= 0 or self.log.is_full():
                self._rest(schedule.when(self.paced - paced) - elapsed)
                continue
            self.late = max(elapsed - schedule.when(self.paced - paced), 0.0)
            self.latest = max(self.late, self.latest)
            for scenario in self.control.take_scenarios():
                self.generator.inject(scenario)
            wall = self._feed(min(due, BATCH, left), wall)
        self.elapsed = earlier + time.monotonic() - begin

    def _feed(self, count: int, since: int) -> int:
        """Append `count` events, stamped evenly from the last batch until now (ticks); returns now."""
        now = time.time_ns() // 100
        if now + _SET_BACK < since:
            since = now - count
        now = max(now, since + count)
        step = (now - since) // count
        if self._append(self.generator.take(count, now - step * (count - 1), step)):
            self.paced += count
        return now

    def _append(self, batch: Batch) -> bool:
        """Waits while the log refuses. False when the load ended first: nobody has seen the batch."""
        entered = partial(self.ledger.add, batch, time.monotonic()) if self.ledger else None
        refused = ""
        while True:
            try:
                self.log.append(batch.data(), len(batch.lines), batch.last_ids, entered)
                break
            except LogRefusedError as error:
                if refused != str(error):
                    refused = str(error)
                    _log.warning("generation waits: %s", refused)
            if self.stop.wait(_LONGEST_TICK):
                return False
        if refused:
            _log.warning("generation goes on")
        self.made += len(batch.lines)
        self.observe(batch)
        return True

    def _rest(self, seconds: float) -> None:
        tick = _TICK + _TICK_PER_READER * self.readers()
        self.stop.wait(min(max(seconds, tick), _LONGEST_TICK))
