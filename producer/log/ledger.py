"""The ledger: what was handed to the log, in blocks of consecutive record ids. Pure; one JSON line a block.

docs/PROTOCOL.md describes the file. The hash of a block is a sum, so neither order nor arrival matters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

LEDGER_VERSION = 1
MAX_BLOCK_IDS = 1000
MAX_BLOCK_SECONDS = 1.0
_MODULUS = 2**64


class LedgerError(ValueError):
    """Not a ledger, or damaged before its last line."""


def hash_line(line: bytes) -> int:
    """64 bits of one event, without its LF."""
    return int.from_bytes(blake2b(line, digest_size=8).digest(), "big")


def add_hashes(hashes: Iterable[int]) -> int:
    return sum(hashes) % _MODULUS


@dataclass(frozen=True)
class LedgerHeader:
    """First line. `start_time` is ISO 8601, or None when events carried the wall clock."""

    log_id: str
    seed: int
    format: str
    start_time: str | None = None

    def encode(self) -> bytes:
        return _line({"ledger": LEDGER_VERSION, **vars(self)})


@dataclass(frozen=True)
class LedgerBlock:
    """Events `first`..`last` of one sequence; `hash` is the sum of their line hashes modulo 2^64."""

    computer: str
    source: str
    first: int
    last: int
    hash: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def encode(self) -> bytes:
        return _line({**vars(self), "hash": f"{self.hash:016x}"})


def _line(values: dict[str, object]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def decode_header(line: bytes) -> LedgerHeader:
    """Raises LedgerError."""
    try:
        values = json.loads(line)
        if values["ledger"] != LEDGER_VERSION:
            raise LedgerError(f"ledger version {values['ledger']!r}, this tool reads {LEDGER_VERSION}")
        return LedgerHeader(
            str(values["log_id"]), int(values["seed"]), str(values["format"]), values["start_time"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"not the first line of a ledger: {line[:80]!r}") from error


def decode_block(line: bytes) -> LedgerBlock:
    """Raises LedgerError."""
    try:
        values = json.loads(line)
        return LedgerBlock(
            str(values["computer"]),
            str(values["source"]),
            int(values["first"]),
            int(values["last"]),
            int(values["hash"], 16),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"not a block of a ledger: {line[:80]!r}") from error


def decode_ledger(lines: Iterable[bytes]) -> Iterator[LedgerHeader | LedgerBlock]:
    """The header, then the blocks; `lines` as a binary file yields them.

    A last line without LF was torn by a kill and is ignored.
    """
    header = True
    for line in lines:
        if not line.endswith(b"\n"):
            return
        yield decode_header(line) if header else decode_block(line)
        header = False


class BlockBuilder:
    """Collects the events of one sequence into blocks. `now` is a monotonic clock in seconds."""

    def __init__(self, computer: str, source: str) -> None:
        self._computer, self._source = computer, source
        self._first = self._last = 0
        self._sum = 0
        self._since = 0.0

    def add(self, record_id: int, line: bytes, now: float) -> LedgerBlock | None:
        """Take one event; returns the block that it completes or that it does not continue."""
        done = self.flush() if self._first and record_id != self._last + 1 else None
        if not self._first:
            self._first, self._since = record_id, now
        self._last = record_id
        self._sum += hash_line(line)
        if record_id - self._first + 1 == MAX_BLOCK_IDS:
            done = self.flush()
        return done

    def is_due(self, now: float) -> bool:
        return bool(self._first) and now - self._since >= MAX_BLOCK_SECONDS

    def flush(self) -> LedgerBlock | None:
        """The block so far, if there is one; the next event starts another."""
        if not self._first:
            return None
        block = LedgerBlock(self._computer, self._source, self._first, self._last, self._sum % _MODULUS)
        self._first = self._last = self._sum = 0
        return block
