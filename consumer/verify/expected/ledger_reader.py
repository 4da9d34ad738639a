"""Reads the ledger of win-event-producer --ledger, also while it grows."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

from consumer.verify.audit.records import AuditError
from consumer.verify.audit.run import ExpectedRun
from producer.events.generator_settings import GeneratorSettings
from producer.log.ledger import (
    LedgerBlock,
    LedgerEnd,
    LedgerError,
    LedgerHeader,
    decode_entry,
    decode_header,
)

_CLOCKS_DIFFER = timedelta(seconds=2)


class LedgerFile:
    """One run. An incomplete last line is read later, when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._run: ExpectedRun | None = None

    def is_growing(self, seconds: float) -> bool:
        """Whether the file changed within the last `seconds`."""
        return time.time() - self._path.stat().st_mtime < seconds

    def read_run(self) -> ExpectedRun:
        """The run as the file describes it now. Raises AuditError if it cannot be read or is no ledger."""
        self.catch_up()
        if self._run is None:
            raise AuditError(f"{self._path} is not a ledger of win-event-producer: it is empty")
        return self._run

    def catch_up(self) -> bool:
        """Add what was written since to the run; returns whether there was anything. Raises AuditError."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                lines = file.read().split(b"\n")[:-1]
            read = sum(map(len, lines)) + len(lines)
            if lines and self._run is None:
                header = decode_header(lines.pop(0))
                self._run = ExpectedRun(header.log_id, _earliest(header))
            entries = [decode_entry(line) for line in lines]
        except OSError as error:
            raise AuditError(f"cannot read the ledger {self._path}: {error.strerror}") from error
        except LedgerError as error:
            raise AuditError(f"{self._path} is not a ledger of win-event-producer: {error}") from error
        self._offset += read
        if entries and self._run is not None:
            self._run.expect(entry for entry in entries if isinstance(entry, LedgerBlock))
            self._run.ended = isinstance(entries[-1], LedgerEnd)
        return bool(entries)


def _earliest(header: LedgerHeader) -> int | None:
    """The time in milliseconds before which this run made no event; None if the ledger does not say it."""
    try:
        settings = GeneratorSettings.from_json(header.settings)
        begin = settings.start_time or datetime.fromisoformat(header.started or "")
    except (ValueError, TypeError):
        return None
    earliest = begin - timedelta(seconds=settings.backfill) - _CLOCKS_DIFFER
    return int(earliest.timestamp() * 1000) if earliest.tzinfo else None
