"""Writes the ledger file: append-only, readable at any moment, at most a second behind the log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from producer.generator import Batch
from producer.ledger import BlockBuilder, LedgerBlock, LedgerError, LedgerHeader, decode_header


class LedgerWriter:
    """One writer a file. A ledger of the same log is continued, of another log refused (LedgerError)."""

    def __init__(self, path: Path, header: LedgerHeader) -> None:
        self._builders: dict[tuple[str, str], BlockBuilder] = {}
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

    def add(self, batch: Batch, now: float) -> None:
        """Take what the log has just taken. `now`: monotonic seconds."""
        blocks = []
        for (_, _, sequence, _, _), record_id, line in zip(*batch, strict=True):
            key = (sequence.computer, sequence.source)
            builder = self._builders.get(key)
            if builder is None:
                builder = self._builders[key] = BlockBuilder(*key)
            if block := builder.add(record_id, line[:-1].encode("ascii"), now):
                blocks.append(block)
        self._write(blocks)

    def write_due(self, now: float) -> None:
        """Write the blocks that have waited a second."""
        self._write([builder.flush() for builder in self._builders.values() if builder.is_due(now)])

    def close(self) -> None:
        """Write what is left."""
        self._write([builder.flush() for builder in self._builders.values()])
        self._file.close()

    def _write(self, blocks: Iterable[LedgerBlock | None]) -> None:
        if encoded := b"".join(block.encode() for block in blocks if block):
            self._file.write(encoded)
