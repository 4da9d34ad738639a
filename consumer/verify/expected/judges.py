"""What an audit can be held against: the producer's ledger, or its seed. Both know blocks of hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from consumer.verify.audit.intervals import Intervals
from consumer.verify.expected import regenerated
from consumer.verify.expected.expected import Expected, Key
from consumer.verify.expected.ledger_file import LedgerFile
from consumer.verify.expected.regenerated import Run
from producer.log.ledger import MAX_BLOCK_SECONDS, LedgerBlock, hash_line

_LATE_SECONDS = 2 * MAX_BLOCK_SECONDS

# Called now and then: what is being done, how far, how much there is.
Progress = Callable[[str, int, int], None]


class Judge(Protocol):
    """`name` completes "compared with"; `notes` are sentences about what was not compared."""

    name: str
    notes: tuple[str, ...]

    def fingerprint(self, line: bytes) -> int: ...

    def blocks(self, progress: Progress) -> Iterable[LedgerBlock]: ...

    def catch_up(self, expected: Expected) -> None:
        """Add what became known while records are read."""

    def complete(self, expected: Expected, covers_all: Callable[[], bool]) -> None:
        """Wait, within reason, until everything that was read is known."""

    def hashes(self, wanted: dict[Key, Intervals], progress: Progress) -> dict[Key, dict[int, int]] | None:
        """The hash of each single event, or None when only blocks are known."""


class LedgerJudge:
    """The file that win-event-producer --ledger writes; it may still grow."""

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.name = f"the ledger {path.name}"
        self._file = LedgerFile(path)

    def fingerprint(self, line: bytes) -> int:
        return hash_line(line)

    def blocks(self, progress: Progress) -> Iterable[LedgerBlock]:
        return self._file.new_blocks()

    def catch_up(self, expected: Expected) -> None:
        expected.extend(self._file.new_blocks())

    def complete(self, expected: Expected, covers_all: Callable[[], bool]) -> None:
        """The ledger of a running producer is up to a second late: events may be in the topic before."""

        def covered() -> bool:
            self.catch_up(expected)
            return covers_all() or not self._file.is_growing(_LATE_SECONDS)

        patience = stop_after_delay(_LATE_SECONDS)
        retry = retry_if_result(lambda done: not done)
        try:
            Retrying(stop=patience, wait=wait_fixed(0.1), retry=retry)(covered)
        except RetryError:
            return  # what the ledger still does not know was invented

    def hashes(self, wanted: dict[Key, Intervals], progress: Progress) -> dict[Key, dict[int, int]] | None:
        return None


class SeedJudge:
    """The settings of a run: its events are generated again."""

    def __init__(self, run: Run) -> None:
        self.name = f"seed {run.settings.seed}, {run.count:,} events"
        self.notes: tuple[str, ...] = () if run.times_known else (_TIMES_UNKNOWN,)
        self._run = run

    def fingerprint(self, line: bytes) -> int:
        return self._run.fingerprint(line)

    def blocks(self, progress: Progress) -> Iterable[LedgerBlock]:
        return regenerated.blocks(self._run, self._tell("generating the run", progress))

    def catch_up(self, expected: Expected) -> None:
        """A seed says everything at the start."""

    def complete(self, expected: Expected, covers_all: Callable[[], bool]) -> None:
        """Nothing more will be known."""

    def hashes(self, wanted: dict[Key, Intervals], progress: Progress) -> dict[Key, dict[int, int]] | None:
        return regenerated.hashes(self._run, wanted, self._tell("generating it again", progress))

    def _tell(self, what: str, progress: Progress) -> Callable[[int], None]:
        return lambda done: progress(what, done, self._run.count)


_TIMES_UNKNOWN = (
    "every byte was compared but those of time values: without --start-time a seed does not decide them"
)
