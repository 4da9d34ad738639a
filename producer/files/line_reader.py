"""Reads lines from a file, once or again and again, or from standard input while somebody writes there."""

from __future__ import annotations

import os
import select
from collections import deque
from pathlib import Path

from producer.log.lines import LineSplitter

STANDARD_INPUT = Path("-")
_PIECE = 256 * 1024
_BOM = b"\xef\xbb\xbf"  # of a file as Windows writes it, not of its first line


class LineReader:
    """`is_over` when no line will come any more, `passes` counts the ends of the file. Raises OSError."""

    def __init__(self, path: Path, loop: bool = False) -> None:
        self._file = os.dup(0) if path == STANDARD_INPUT else os.open(path, os.O_RDONLY)
        self._loop, self._may_block = loop, path == STANDARD_INPUT
        self._lines: deque[bytes] = deque()
        self._splitter = LineSplitter()
        self._begins, self._is_empty = True, True
        self.passes = 0
        self.is_over = False

    def next(self) -> bytes | None:
        """The next line that is not empty, without its LF; None when there is none yet, or `is_over`."""
        while not self._lines:
            if self.is_over or not self._read():
                return None
        return self._lines.popleft()

    def _read(self) -> bool:
        """Whether something came, if only the end of the file."""
        if self._may_block and not select.select([self._file], [], [], 0)[0]:
            return False
        piece = os.read(self._file, _PIECE)
        if not piece:
            self._lines += self._splitter.finish()
            self._end_of_file()
            return True
        if self._begins and piece.startswith(_BOM):
            piece = piece[len(_BOM) :]
        self._begins = False
        lines = self._splitter.feed(piece)
        self._is_empty = self._is_empty and not lines
        self._lines += lines
        return True

    def _end_of_file(self) -> None:
        self.passes += 1
        if not self._loop or (self._is_empty and not self._lines):
            self.is_over = True
            os.close(self._file)
            return
        os.lseek(self._file, 0, os.SEEK_SET)
        self._begins = True
