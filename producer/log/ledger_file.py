"""Writes the ledger file: append-only, readable at any moment, at most a second behind the log."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from producer.events.generator import Batch
from producer.log.ledger import (
    BlockBuilder,
    LedgerBlock,
    LedgerEnd,
    LedgerError,
    LedgerHeader,
    decode_header,
    decode_ledger,
)
from producer.log.recovery import RecoveredEvent


class LedgerWriter:
    """One writer a file. A ledger of the same log is continued, of another log refused (LedgerError)."""

    def __init__(self, path: Path, header: LedgerHeader) -> None:
        self._builders: dict[tuple[str, str], BlockBuilder] = {}
        self._written: dict[tuple[str, str], int] = {}
        self._ended = False
        self._file = path.open("a+b", buffering=0)
        try:
            self._begin(path, header)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, path: Path, header: LedgerHeader) -> None:
        self._file.seek(0)
        content = self._file.read()
        if not content:
            self._file.write(header.encode())
            return
        earlier = decode_header(content.split(b"\n", 1)[0])
        if earlier.log_id != header.log_id:
            raise LedgerError(f"{path} belongs to log {earlier.log_id}; name a file that does not exist yet")
        self._file.truncate(content.rfind(b"\n") + 1)
        for block in decode_ledger(io.BytesIO(content)):
            if isinstance(block, LedgerBlock):
                self._written[block.computer, block.source] = block.last

    def catch_up(self, events: Iterable[RecoveredEvent]) -> None:
        """Add what a killed producer had put into the log but not yet into the ledger."""
        for computer, source, record_id, line in events:
            if record_id > self._written.get((computer, source), 0):
                self._write([self._builder((computer, source)).add(record_id, line, 0.0)])
        self.flush()

    def add(self, batch: Batch, now: float) -> None:
        """Take what the log has just taken. `now`: monotonic seconds."""
        blocks = []
        for (_, template, host, _, _), record_id, line in zip(*batch, strict=True):
            builder = self._builder((host.name, template.channel))
            if block := builder.add(record_id, line[:-1], now):
                blocks.append(block)
        self._write(blocks)

    def write_due(self, now: float) -> None:
        """Write the blocks that have waited a second."""
        self._write([builder.flush() for builder in self._builders.values() if builder.is_due(now)])

    def flush(self) -> None:
        """Write what is left."""
        self._write([builder.flush() for builder in self._builders.values()])

    def end(self) -> None:
        """Write what is left and that it was all: an audit may call lost what it does not find."""
        self.flush()
        if not self._ended:
            self._file.write(LedgerEnd().encode())
            self._ended = True

    def close(self) -> None:
        """Without `end`: whoever closes after an error does not know whether it was all."""
        self.flush()
        self._file.close()

    def _builder(self, key: tuple[str, str]) -> BlockBuilder:
        builder = self._builders.get(key)
        if builder is None:
            builder = self._builders[key] = BlockBuilder(*key)
        return builder

    def _write(self, blocks: Iterable[LedgerBlock | None]) -> None:
        if encoded := b"".join(block.encode() for block in blocks if block):
            self._file.write(encoded)
            self._ended = False
