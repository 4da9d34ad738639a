"""Reads blocks of whole lines from files and pipes, as soon as they arrive."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Sequence
from pathlib import Path

_BLOCK = 256 * 1024
LONGEST = 1024 * 1024
_PATIENCE = 0.5  # seconds; then the caller may do other work


class LineBlocks:
    """The lines of all inputs, in blocks.

    `too_long`: lines that were skipped without being stored in memory: LONGEST bytes had come without an end.
    """

    def __init__(self, files: Sequence[Path | None]) -> None:
        """None means standard input."""
        self._files = files
        self.too_long = 0
        self.stopped = False

    def stop(self) -> None:
        """End before the next block; a signal handler may call it."""
        self.stopped = True

    @property
    def names(self) -> list[str]:
        return [str(file or "-") for file in self._files]

    def __iter__(self) -> Iterator[tuple[str, bytes | None]]:
        """Yields (input, block).

        An empty block if nothing came for a while, None at the end of the input. Raises OSError.
        """
        for file in self._files:
            name = str(file or "-")
            descriptor = os.open(file, os.O_RDONLY) if file else 0
            try:
                for block in self._read(descriptor):
                    if self.stopped:
                        return
                    yield name, block
            finally:
                if file:
                    os.close(descriptor)
            yield name, None

    def _read(self, descriptor: int) -> Iterator[bytes]:
        rest, skipping = b"", False
        while True:
            if not select.select([descriptor], [], [], _PATIENCE)[0]:
                yield b""
                continue
            read = os.read(descriptor, _BLOCK)
            if not read:
                break
            whole, found, tail = read.rpartition(b"\n")
            if skipping and not found:
                continue
            if skipping:
                _, _, whole = whole.partition(b"\n")
                skipping = False
            elif found:
                whole = rest + whole
            rest = tail if found else rest + read
            if len(rest) > LONGEST:
                self.too_long += 1
                rest, skipping = b"", True
            if found and whole:
                yield whole
        if rest:  # a last line without LF is a line
            yield rest
