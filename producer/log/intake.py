"""Takes events that others made into the log: checked lines, a sequence of their own in the ledger."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from producer.events.line_rule import read_line
from producer.log.event_log import EventLog
from producer.log.ledger import POSTED
from producer.log.ledger_file import LedgerWriter
from producer.protocol import MAX_LINE_BYTES

_LONGEST = MAX_LINE_BYTES - 1  # without its LF
_NOT_ASCII = re.compile("[^\x00-\x7f]")


class Place(NamedTuple):
    """The bytes `offset`..`end` of the log."""

    offset: int
    end: int


def as_logged(line: bytes) -> tuple[bytes, str]:
    """The line with its LF as the log keeps it and "", or b"" and the reason why it is no event.

    A line of ASCII is taken byte for byte; in any other the characters are escaped: the wire is ASCII only.
    The reasons are those of line_rule. An event needs no key here: the bridge decides which fields it wants.
    """
    reason = read_line(line, max_line=_LONGEST).reason
    if reason is not None and not reason.startswith("missing:"):
        return b"", reason
    if not line.isascii():
        line = _NOT_ASCII.sub(_escape, line.decode()).encode("ascii")
        if len(line) > _LONGEST:
            return b"", "too-long"
    return line + b"\n", ""


def _escape(character: re.Match[str]) -> str:
    """JSON text has such characters in strings only, where an escape says the same."""
    units = character[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class Intake:
    """Thread-safe. `count` events were posted to this log before."""

    def __init__(self, log: EventLog, ledger: LedgerWriter | None, count: int = 0) -> None:
        self._log, self._ledger = log, ledger
        self.count = count

    def append(self, lines: Sequence[bytes]) -> Place:
        """Add checked lines as they are. Raises LogRefusedError: then none of them was added."""
        data = b"".join(lines)
        offset = self._log.append(
            data, len(lines), lambda: {POSTED: self.count + len(lines)}, partial(self._enter, lines)
        )
        return Place(offset, offset + len(data))

    def _enter(self, lines: Sequence[bytes]) -> None:
        """Inside the log's append, so that nobody else counts meanwhile."""
        first = self.count + 1
        self.count += len(lines)
        if self._ledger:
            self._ledger.add_posted(first, lines, time.monotonic())
