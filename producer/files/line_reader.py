"""Reads lines from a file, once or in a loop, or from standard input as they arrive."""

from __future__ import annotations

import errno
import os
import select
import stat
from collections import deque
from pathlib import Path

from producer.log.lines import LineSplitter

STANDARD_INPUT = Path("-")
_PIECE = 256 * 1024
_BOM = b"\xef\xbb\xbf"  # Windows writes it at the start of a file; it is not part of the first line


_GZIP = b"\x1f\x8b"


class LineReader:
    """Reads one line after the other.

    `is_over`: no line will come any more. `passes` counts how often the file was read. Raises OSError.
    """

    def __init__(self, path: Path, loop: bool = False) -> None:
        # Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever, whatever the signal.
        self._file = os.dup(0) if path == STANDARD_INPUT else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._loop = loop
        self._may_block = path == STANDARD_INPUT or not stat.S_ISREG(os.fstat(self._file).st_mode)
        if wrong := self._why_not(path):
            os.close(self._file)
            raise OSError(errno.EINVAL, wrong, str(path))
        self._lines: deque[bytes] = deque()
        self._splitter = LineSplitter()
        self._begins, self._is_empty = True, True
        self.passes = 0
        self.is_over = False

    def _why_not(self, path: Path) -> str:
        if self._may_block:
            return "a pipe cannot be read a second time: leave out --loop" if self._loop else ""
        if os.pread(self._file, len(_GZIP), 0) == _GZIP:
            return f"packed with gzip; unpack it: zcat {path} | win-event-producer --from-file -"
        return ""

    def next(self) -> bytes | None:
        """The next line that is not empty, without its LF; None when there is none yet, or `is_over`."""
        while not self._lines:
            if self.is_over or not self._read():
                return None
        return self._lines.popleft()

    def _read(self) -> bool:
        """Whether anything was read, even only the end of the file."""
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
