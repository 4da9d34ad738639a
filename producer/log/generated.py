"""The generator as a source of the log: its events, their entries in the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from producer.events.generator import Batch, Generator
from producer.log.ledger_writer import LedgerWriter
from producer.log.recovery import RecordIds


class Sink(Protocol):
    """The target of events: the event log or standard output.

    `append` returns the offset where the events begin.
    """

    def append(
        self,
        data: bytes,
        events: int,
        last_ids: Callable[[], RecordIds],
        entered: Callable[[], object] | None,
    ) -> int: ...

    def is_full(self) -> bool: ...


@dataclass
class GeneratedEvents:
    """The generator as a source. `observe` is called with every batch that was appended."""

    generator: Generator
    sink: Sink
    ledger: LedgerWriter | None = None
    observe: Callable[[Batch], None] = lambda batch: None
    is_over: bool = False

    def take_history(self, count: int) -> Batch:
        return self.generator.take_history(count)

    def take(self, count: int, first: int, step: int) -> Batch:
        return self.generator.take(count, first, step)

    def append(self, batch: Batch) -> None:
        """Raises LogRefusedError."""
        entered = partial(self.ledger.add, batch, time.monotonic()) if self.ledger else None
        self.sink.append(batch.data(), len(batch.lines), batch.last_ids, entered)
        self.observe(batch)

    def is_full(self) -> bool:
        return self.sink.is_full()

    def inject(self, scenario: str) -> None:
        self.generator.inject(scenario)
