"""The references of an audit: ledgers of the producer, or its seed. Both know the hash of every event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from consumer.verify.audit.run import ExpectedRun
from consumer.verify.expected.ledger_file import LedgerFile
from consumer.verify.expected.seed import Seed
from producer.log.ledger import MAX_BLOCK_SECONDS, hash_line

_LATE_SECONDS = 2 * MAX_BLOCK_SECONDS

# Called now and then: what is being done, how far, how much there is.
Progress = Callable[[str, int, int], None]


class Judge(Protocol):
    """`name` completes "compared with"; `notes` are sentences about what was not compared."""

    name: str
    notes: tuple[str, ...]

    def fingerprint(self, line: bytes) -> int: ...

    def runs(self, progress: Progress) -> Sequence[ExpectedRun]:
        """What is known now; `catch_up` adds to these very values."""

    def catch_up(self) -> bool:
        """Add what became known since; whether anything did."""

    def wait_until(self, enough: Callable[[], bool]) -> None:
        """Catch up, within reason, until `enough`."""


class LedgerJudge:
    """The files that win-event-producer --ledger writes, one a run; they may still grow."""

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
        """The ledger of a running producer is up to a second late: events may be in the topic before."""

        def known() -> bool:
            self.catch_up()
            return enough() or not any(file.is_growing(_LATE_SECONDS) for file in self._files)

        patience = stop_after_delay(_LATE_SECONDS)
        retry = retry_if_result(lambda done: not done)
        try:
            Retrying(stop=patience, wait=wait_fixed(0.1), retry=retry)(known)
        except RetryError:
            return  # what the ledger still does not know was invented


class SeedJudge:
    """The settings of a run: its events are generated again."""

    def __init__(self, seed: Seed) -> None:
        self.name = f"seed {seed.settings.seed}, {seed.count:,} events"
        self.notes: tuple[str, ...] = () if seed.times_known else (_TIMES_UNKNOWN,)
        self._seed = seed

    def fingerprint(self, line: bytes) -> int:
        return self._seed.fingerprint(line)

    def runs(self, progress: Progress) -> Sequence[ExpectedRun]:
        return [self._seed.run(lambda done: progress("generating the run", done, self._seed.count))]

    def catch_up(self) -> bool:
        return False  # a seed says everything at the start

    def wait_until(self, enough: Callable[[], bool]) -> None:
        """Nothing more will be known."""


_TIMES_UNKNOWN = (
    "every byte was compared but those of time values: without --start-time a seed does not decide them"
)
