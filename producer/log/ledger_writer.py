"""Writes the ledger file: append-only, readable at any moment, at most a second behind the log."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from producer.events.generator import Batch
from producer.log.ledger import (
    POSTED,
    BlockBuilder,
    LedgerBlock,
    LedgerEnd,
    LedgerError,
    LedgerHeader,
    decode_entry,
    decode_header,
)
from producer.log.recovery import RecordIds, RecoveredEvent

_log = logging.getLogger("producer.log")


class LedgerWriter:
    """Thread-safe; one writer per file. It continues a ledger of the same log and refuses one of another log.

    `earlier` are former ids of the log. Raises LedgerError. Blocks that a full disk refuses are written
    later: none is lost, and `check` stops the log until the ledger has caught up.
    """

    def __init__(self, path: Path, header: LedgerHeader, earlier: Container[str] = ()) -> None:
        self._path = path
        self._builders: dict[tuple[str, str], BlockBuilder] = {}
        self._written: RecordIds = {}
        self._waiting = b""  # encoded blocks that are not written yet
        self._reason = ""  # why they could not be written
        self._ended = False
        self._lock = threading.RLock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._size = 0
        try:
            self._begin(header, earlier)
        except BaseException:
            os.close(self._file)
            raise

    def _begin(self, header: LedgerHeader, earlier: Container[str]) -> None:
        content = self._path.read_bytes()
        lines = content.split(b"\n")[:-1]
        if not lines:
            os.ftruncate(self._file, 0)
            self._put(header.encode())
            return
        found = decode_header(lines[0])
        if found.log_id != header.log_id and found.log_id not in earlier:
            raise LedgerError(
                f"{self._path} belongs to log {found.log_id}; name a file that does not exist yet"
            )
        self._size = len(lines[0]) + 1 + sum(len(line) + 1 for line in self._read_blocks(lines[1:]))
        if self._size < len(content):
            os.ftruncate(self._file, self._size)

    def _read_blocks(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Read the blocks that are written already; returns the lines to keep, without a damaged end."""
        for number, line in enumerate(lines):
            try:
                block = decode_entry(line)
            except LedgerError:
                if any(map(_is_entry, lines[number:])):
                    raise
                _log.warning(
                    "%s: its last %d lines are damaged and left out", self._path, len(lines) - number
                )
                return lines[:number]
            if isinstance(block, LedgerBlock):
                key = (block.computer, block.source)
                self._written[key] = max(block.last, self._written.get(key, 0))
        return lines

    @property
    def last_ids(self) -> RecordIds:
        """The last id of every sequence that the file knew when it was opened."""
        return dict(self._written)

    def catch_up(self, events: Iterable[RecoveredEvent]) -> None:
        """Add the events that a killed producer had put into the log but not yet into the ledger."""
        with self._lock:
            for computer, source, record_id, line in events:
                if record_id > self._written.get((computer, source), 0):
                    self._write([self._builder((computer, source)).add(record_id, line, 0.0)])
            self.flush()

    def add(self, batch: Batch, now: float) -> None:
        """Add the events that the log has just accepted. `now` is in monotonic seconds."""
        blocks = []
        with self._lock:
            for (_, template, host, _, _), record_id, line in zip(*batch, strict=True):
                builder = self._builder((host.name, template.channel))
                if block := builder.add(record_id, line[:-1], now):
                    blocks.append(block)
            self._write(blocks)

    def add_posted(self, first: int, lines: Iterable[bytes], now: float) -> None:
        """Add posted events, lines with their LF; `first` is the number of the first one."""
        with self._lock:
            builder = self._builder(POSTED)
            self._write([builder.add(number, line[:-1], now) for number, line in enumerate(lines, first)])

    def write_due(self, now: float) -> None:
        """Write the blocks that have waited a second."""
        with self._lock:
            self._write([builder.flush() for builder in self._builders.values() if builder.is_due(now)])

    def flush(self) -> None:
        """Write all waiting blocks."""
        with self._lock:
            self._write([builder.flush() for builder in self._builders.values()])

    def end(self) -> None:
        """Write all waiting blocks and the end: from then on, an audit reports missing events as lost."""
        with self._lock:
            self.flush()
            if not self._ended:
                self._put_later(LedgerEnd().encode())
                self._ended = True

    def check(self) -> None:
        """Raises OSError while the disk refuses the waiting blocks."""
        with self._lock:
            if self._waiting:
                self._put(b"")

    @property
    def trouble(self) -> str:
        """Why the ledger is behind the log; empty when it is not."""
        return f"{self._path}: the ledger cannot grow: {self._reason}" if self._waiting else ""

    def close(self) -> None:
        """Close without `end`: after an error, nobody knows whether the ledger is complete."""
        self.flush()
        os.close(self._file)

    def _builder(self, key: tuple[str, str]) -> BlockBuilder:
        builder = self._builders.get(key)
        if builder is None:
            builder = self._builders[key] = BlockBuilder(*key)
        return builder

    def _write(self, blocks: Iterable[LedgerBlock | None]) -> None:
        if encoded := b"".join(block.encode() for block in blocks if block):
            self._put_later(encoded)
            self._ended = False

    def _put_later(self, data: bytes) -> None:
        """Write now if the disk accepts it, otherwise later."""
        try:
            self._put(data)
        except OSError as error:
            _log.warning("%s: %s; the log waits for it", self._path, error.strerror)

    def _put(self, data: bytes) -> None:
        """Append the waiting blocks and `data`, completely or not at all. Raises OSError."""
        self._waiting += data
        view = memoryview(self._waiting)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            self._reason = error.strerror or str(error)
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(self._waiting)
        self._waiting = b""


def _is_entry(line: bytes) -> bool:
    try:
        decode_entry(line)
    except LedgerError:
        return False
    return True
