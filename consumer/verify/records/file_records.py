"""Records from an NDJSON file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from consumer.errors import AuditError
from consumer.verify.audit.records import Place, Record
from consumer.verify.audit.report import Unread

_BATCH_BYTES = 512 * 2**10  # what a processor's cache holds


class FileReader:
    """Every line with something in it, in batches; `total` and `done` are bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.follows = False
        self.done = 0
        try:
            self.total = path.stat().st_size
        except OSError as error:
            raise AuditError(f"cannot read {path}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing stays open between two readings."""

    def place(self, partition: int | None, offset: int) -> Place:
        return Place(self.name, None, offset)

    def unread(self) -> tuple[Unread, ...]:
        return ()  # what stands in a file can be read

    def batches(self) -> Iterator[list[Record]]:
        """Raises AuditError when the file cannot be read. May be called again: it starts over."""
        self.done, line_number = 0, 1
        try:
            with self.path.open("rb") as file:
                while lines := file.readlines(_BATCH_BYTES):
                    yield [
                        (line, None, None, number, 0)
                        for number, whole in enumerate(lines, line_number)
                        if (line := whole.rstrip(b"\r\n")) and not line.isspace()
                    ]
                    line_number += len(lines)
                    self.done += sum(map(len, lines))
        except OSError as error:
            raise AuditError(f"cannot read {self.path}: {error.strerror}") from error
