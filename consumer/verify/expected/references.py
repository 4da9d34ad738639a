"""The references of an audit: ledgers of the producer, or its seed. Both know the hash of every event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from consumer.verify.audit.run import ExpectedRun
from consumer.verify.expected.ledger_reader import LedgerFile
from consumer.verify.expected.seed import Seed
from producer.log.ledger import MAX_BLOCK_SECONDS, hash_line

_LATE_SECONDS = 2 * MAX_BLOCK_SECONDS

# Called regularly with the name of the step, the work done, and the total.
Progress = Callable[[str, int, int], None]


class Reference(Protocol):
    """The reference of an audit.

    `name` completes "compared with"; `notes` are sentences about events that were not compared.
    """

    name: str
    notes: tuple[str, ...]

    def fingerprint(self, line: bytes) -> int: ...

    def runs(self, progress: Progress) -> Sequence[ExpectedRun]:
        """The runs known now; `catch_up` adds to the same objects."""

    def catch_up(self) -> bool:
        """Add what was written since; returns whether there was anything."""

    def wait_until(self, enough: Callable[[], bool]) -> None:
        """Catch up until `enough` is true, or nothing more can be expected."""


class LedgerReference:
    """Files of win-event-producer --ledger, one per run; they may still grow."""

    notes: tuple[str, ...] = ()

    def __init__(self, paths: Sequence[Path]) -> None:
        names = ", ".join(path.name for path in paths)
        self.name = f"the ledger {names}" if len(paths) == 1 else f"the ledgers {names}"
        self._files = [LedgerFile(path) for path in paths]

    def fingerprint(self, line: bytes) -> int:
        return hash_line(line)

    def runs(self, progress: Progress) -> Sequence[ExpectedRun]:
        return [file.read_run() for file in self._files]

    def catch_up(self) -> bool:
        return sum(file.catch_up() for file in self._files) > 0  # each of them

    def wait_until(self, enough: Callable[[], bool]) -> None:
        """Wait for the ledger: that of a running producer is up to a second behind the topic."""

        def known() -> bool:
            self.catch_up()
            return enough() or not any(file.is_growing(_LATE_SECONDS) for file in self._files)

        patience = stop_after_delay(_LATE_SECONDS)
        retry = retry_if_result(lambda done: not done)
        try:
            Retrying(stop=patience, wait=wait_fixed(0.1), retry=retry)(known)
        except RetryError:
            return  # events that the ledger still does not have were invented


class SeedReference:
    """The settings of a run, from which its events are generated again."""

    def __init__(self, seed: Seed) -> None:
        self.name = f"seed {seed.settings.seed}, {seed.count:,} events"
        self.notes: tuple[str, ...] = () if seed.times_known else (_TIMES_UNKNOWN,)
        self._seed = seed

    def fingerprint(self, line: bytes) -> int:
        return self._seed.fingerprint(line)

    def runs(self, progress: Progress) -> Sequence[ExpectedRun]:
        return [self._seed.run(lambda done: progress("generating the run", done, self._seed.count))]

    def catch_up(self) -> bool:
        return False  # with a seed, everything is known at the start

    def wait_until(self, enough: Callable[[], bool]) -> None:
        """Return at once: nothing more will be known."""


_TIMES_UNKNOWN = (
    "every byte was compared except those of timestamps: without --start-time a seed does not decide them"
)
