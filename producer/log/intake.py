"""Puts posted events into the log: checked lines, with a separate sequence in the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from producer.log.generated import Sink
from producer.log.ledger import POSTED
from producer.log.ledger_writer import LedgerWriter


class Place(NamedTuple):
    """The bytes `offset`..`end` of the log."""

    offset: int
    end: int


class Intake:
    """Thread-safe. `count`: events that were posted to this log before."""

    def __init__(self, log: Sink, ledger: LedgerWriter | None, count: int = 0) -> None:
        self._log, self._ledger = log, ledger
        self.count = count

    def is_full(self) -> bool:
        return self._log.is_full()

    def append(self, lines: Sequence[bytes]) -> Place:
        """Append checked lines unchanged. Raises LogRefusedError; then none of them was added."""
        data = b"".join(lines)
        offset = self._log.append(
            data, len(lines), lambda: {POSTED: self.count + len(lines)}, partial(self._enter, lines)
        )
        return Place(offset, offset + len(data))

    def _enter(self, lines: Sequence[bytes]) -> None:
        """Called inside the log's append, so that no other thread counts meanwhile."""
        first = self.count + 1
        self.count += len(lines)
        if self._ledger:
            self._ledger.add_posted(first, lines, time.monotonic())
