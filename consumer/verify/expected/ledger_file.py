"""Reads the ledger that win-event-producer --ledger writes, also while it grows."""

from __future__ import annotations

import time
from pathlib import Path

from consumer.errors import AuditError
from producer.log.ledger import LedgerBlock, LedgerError, decode_entry, decode_header


class LedgerFile:
    """`new_blocks` gives what was added since the last call; a torn last line waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def is_growing(self, seconds: float) -> bool:
        """Whether the file was written to within the last `seconds`."""
        return time.time() - self._path.stat().st_mtime < seconds

    def new_blocks(self) -> list[LedgerBlock]:
        """Raises AuditError when the file cannot be read or is no ledger."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                lines = file.read().split(b"\n")[:-1]
            if lines and not self._offset:
                decode_header(lines[0])
                self._offset = len(lines.pop(0)) + 1
            entries = [decode_entry(line) for line in lines]
        except OSError as error:
            raise AuditError(f"cannot read the ledger {self._path}: {error.strerror}") from error
        except LedgerError as error:
            raise AuditError(f"{self._path} is no ledger of win-event-producer: {error}") from error
        self._offset += sum(map(len, lines)) + len(lines)
        return [entry for entry in entries if isinstance(entry, LedgerBlock)]
