"""A file as a source of the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from producer.events.clock import TICKS_PER_SECOND
from producer.events.timeline.scenarios import ScenarioError
from producer.files.line_reader import LineReader
from producer.files.time_shift import TimeShift
from producer.log.intake import Intake
from producer.log.lines import as_logged

_log = logging.getLogger("producer.files")
_LOOKED = 2000  # lines read in one go: an order to stop must work also while a file has no events
_NAMED = 5  # rejected lines that are shown; more are only counted


class FileBatch(NamedTuple):
    lines: list[bytes]


@dataclass
class FileEvents:
    """The events of a file. Without a `shift` they keep their times.

    `rejected` is called with the reason of each line that is not an event.
    """

    name: str
    reader: LineReader
    intake: Intake
    shift: TimeShift | None = None
    rejected: Callable[[Mapping[str, int]], object] = lambda reasons: None
    lines_read: int = 0
    left_out: int = 0
    _pass: int = 0
    _holds_none: bool = False  # a whole pass brought no event, so no further one will

    @property
    def is_over(self) -> bool:
        return self.reader.is_over or self._holds_none

    def take_history(self, count: int) -> FileBatch:
        return FileBatch([])

    def take(self, count: int, first: int, step: int) -> FileBatch:
        """The next lines that are events, in the form in which the log stores them."""
        taken: list[bytes] = []
        for _ in range(_LOOKED):
            if len(taken) == count or (raw := self.reader.next()) is None:
                break
            if self._pass != self.reader.passes:
                self._begin_again()
            if self._holds_none:
                break
            self.lines_read += 1
            if line := self._logged(raw, (first + len(taken) * step) / TICKS_PER_SECOND):
                taken.append(line)
        return FileBatch(taken)

    def _begin_again(self) -> None:
        self._pass = self.reader.passes
        self._holds_none = self.lines_read == self.left_out
        if self.shift:
            self.shift.restart()

    def _logged(self, raw: bytes, now: float) -> bytes:
        line, reason = as_logged(raw)
        if line and self.shift:
            line, reason = as_logged(self.shift.move(line[:-1], now))
        if reason:
            self.left_out += 1
            self.rejected({reason: 1})
            if self.left_out <= _NAMED:
                _log.warning("%s: line %d is not an event: %s", self.name, self.lines_read, reason)
        return line

    def append(self, batch: FileBatch) -> None:
        """Raises LogRefusedError."""
        self.intake.append(batch.lines)

    def is_full(self) -> bool:
        return self.intake.is_full()

    def inject(self, scenario: str) -> None:
        raise ScenarioError(f"{scenario}: nothing is generated here")

    def finish(self) -> None:
        """Report which lines were rejected or changed."""
        if self.left_out:
            _log.warning("%s: %d of %d lines are not events", self.name, self.left_out, self.lines_read)
        if self.left_out and self.left_out == self.lines_read:
            _log.warning("each line must be one JSON object; jq -c '.[]' makes such lines of an array")
        if self.shift and self.shift.untimed:
            _log.warning("%s: %d events have no time", self.name, self.shift.untimed)
