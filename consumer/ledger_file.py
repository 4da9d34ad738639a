"""Reading the ledger that win-event-producer --ledger writes, also while it grows."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from consumer.errors import AuditError
from consumer.expected import LedgerBlock


def hash_line(line: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "big")


class LedgerFile:
    """An append-only file; `new_blocks` gives what was added since the last call. A torn last line waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_blocks(self) -> list[LedgerBlock]:
        """Raises AuditError when the file cannot be read or is no ledger."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                lines = file.read().split(b"\n")
        except OSError as error:
            raise AuditError(f"cannot read the ledger {self._path}: {error.strerror}") from error
        blocks = []
        for line in lines[:-1]:
            self._offset += len(line) + 1
            block = self._decode(line)
            if block is not None:
                blocks.append(block)
        return blocks

    def _decode(self, line: bytes) -> LedgerBlock | None:
        try:
            entry = orjson.loads(line)
            if "ledger" in entry:
                return None
            return LedgerBlock(
                entry["computer"], entry["source"], entry["first"], entry["last"], int(entry["hash"], 16)
            )
        except (ValueError, KeyError, TypeError) as error:
            shown = line[:80].decode("utf-8", "backslashreplace")
            raise AuditError(f"{self._path} is not a ledger of win-event-producer: {shown!r}") from error
