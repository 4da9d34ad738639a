"""The ledger: a record of everything put into the log, in blocks of consecutive record ids. Pure; one JSON
line per block.

docs/PROTOCOL.md describes the file. A block has the hash of every event. So a reader can say for each record
whether it was produced, and in which run.
"""

from __future__ import annotations

import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

LEDGER_VERSION = 2
MAX_BLOCK_IDS = 1000
MAX_BLOCK_SECONDS = 1.0
HASH_BYTES = 8
# The sequence of posted events: they do not have our ids, so they are counted as they arrive.
POSTED = ("", "posted")


class LedgerError(ValueError):
    """Not a ledger, or damaged before its last line."""


def line_digest(line: bytes) -> bytes:
    """The hash of one event, without its LF, as the ledger stores it."""
    return blake2b(line, digest_size=HASH_BYTES).digest()


def hash_line(line: bytes) -> int:
    """The hash of one event, as a number."""
    return int.from_bytes(blake2b(line, digest_size=HASH_BYTES).digest(), "big")


def add_hashes(hashes: Iterable[int]) -> int:
    return sum(hashes) % 2**64


@dataclass(frozen=True)
class LedgerHeader:
    """The first line. `start_time` is ISO 8601, or None if events had the time of the wall clock.

    `started`: when the producer began, ISO 8601 in UTC. `settings`: everything that decides the events
    (GeneratorSettings.as_json), so that the run can be generated again.
    """

    log_id: str
    seed: int
    format: str
    start_time: str | None = None
    started: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        return _line({"ledger": LEDGER_VERSION, **vars(self)})


@dataclass(frozen=True)
class LedgerBlock:
    """Events `first`..`last` of one sequence; `hashes` has HASH_BYTES of each, in this order."""

    computer: str
    source: str
    first: int
    last: int
    hashes: bytes

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def hash(self) -> int:
        """The sum of the hashes modulo 2^64."""
        numbers = array("Q", self.hashes)
        numbers.byteswap()
        return add_hashes(numbers)

    def encode(self) -> bytes:
        return _line({**vars(self), "hashes": b64encode(self.hashes).decode()})


@dataclass(frozen=True)
class LedgerEnd:
    """The end of a run: nothing was put into the log after this. A restart may append to the ledger."""

    def encode(self) -> bytes:
        return _line({"end": True})


def _line(values: dict[str, object]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def decode_header(line: bytes) -> LedgerHeader:
    """Raises LedgerError."""
    try:
        values = json.loads(line)
        if values["ledger"] != LEDGER_VERSION:
            raise LedgerError(f"ledger version {values['ledger']!r}, this tool reads {LEDGER_VERSION}")
        return LedgerHeader(
            str(values["log_id"]),
            int(values["seed"]),
            str(values["format"]),
            values["start_time"],
            values["started"],
            dict(values["settings"]),
        )
    except LedgerError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"not the first line of a ledger: {line[:80]!r}") from error


def decode_entry(line: bytes) -> LedgerBlock | LedgerEnd:
    """Any line after the first. Raises LedgerError."""
    try:
        values = json.loads(line)
        if "end" in values:
            return LedgerEnd()
        block = LedgerBlock(
            str(values["computer"]),
            str(values["source"]),
            int(values["first"]),
            int(values["last"]),
            b64decode(values["hashes"], validate=True),
        )
        if block.first < 1 or len(block.hashes) != HASH_BYTES * block.count:
            raise ValueError("ids and hashes do not fit")
        return block
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"not a block of a ledger: {line[:80]!r}") from error


def decode_ledger(lines: Iterable[bytes]) -> Iterator[LedgerHeader | LedgerBlock | LedgerEnd]:
    """Yields the header, then blocks and ends, from the `lines` of a binary file.

    A last line without LF was torn by a kill and is ignored.
    """
    header = True
    for line in lines:
        if not line.endswith(b"\n"):
            return
        yield decode_header(line) if header else decode_entry(line)
        header = False


class BlockBuilder:
    """Collects the events of one sequence into blocks. `now` is a monotonic clock in seconds."""

    def __init__(self, computer: str, source: str) -> None:
        self._computer, self._source = computer, source
        self._first = self._last = 0
        self._hashes = bytearray()
        self._since = 0.0

    def add(self, record_id: int, line: bytes, now: float) -> LedgerBlock | None:
        """Add one event; returns the block that is complete now, either with it or before it."""
        done = self.flush() if self._first and record_id != self._last + 1 else None
        if not self._first:
            self._first, self._since = record_id, now
        self._last = record_id
        self._hashes += blake2b(line, digest_size=HASH_BYTES).digest()
        if record_id - self._first + 1 == MAX_BLOCK_IDS:
            done = self.flush()
        return done

    def is_due(self, now: float) -> bool:
        return bool(self._first) and now - self._since >= MAX_BLOCK_SECONDS

    def flush(self) -> LedgerBlock | None:
        """The unfinished block, if any; the next event starts another."""
        if not self._first:
            return None
        block = LedgerBlock(self._computer, self._source, self._first, self._last, bytes(self._hashes))
        self._first = self._last = 0
        self._hashes.clear()
        return block
