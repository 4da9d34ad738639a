"""Turns chunks of a byte stream into blocks of whole lines. Pure."""

from __future__ import annotations

import re

from producer.protocol import MAX_LINE_BYTES

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some senders begin with one; it is not part of the first line
# Searched from LF to LF, three times faster than looking for the two or three bytes as a string.
_EMPTY_LINE = re.compile(rb"\n\r?\n").search


class LineAssembler:
    """Returns only whole, non-empty lines of at most `max_line` bytes (with LF), many in one block.

    A byte order mark at the start of the stream is left out. `position` counts every byte up to the last LF,
    also those of empty and overlong lines. `overlong` counts the lines that were too long. The bytes after
    the last LF wait for the next chunk.
    """

    def __init__(self, max_line: int = MAX_LINE_BYTES) -> None:
        self._max_line = max_line
        self._rest = b""
        self._skipped = 0  # bytes that were dropped from an overlong line whose LF has not arrived yet
        self.overlong = 0
        self.position = 0

    @property
    def has_rest(self) -> bool:
        """Whether the stream is inside a line."""
        return bool(self._rest or self._skipped)

    def feed(self, chunk: bytes) -> bytes:
        """The lines that are complete now, each with its LF; empty if there are none."""
        data = self._rest + chunk if self._rest else chunk
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        block = self._without_skipped(data[:end]) if self._skipped and end else data[:end]
        if not self.position:
            self.position = len(block)
            block = block.removeprefix(_BYTE_ORDER_MARK)
        else:
            self.position += len(block)
        if len(self._rest) >= self._max_line:
            self.overlong += not self._skipped
            self._skipped += len(self._rest)
            self._rest = b""
        elif self._skipped:
            self._skipped += len(self._rest)
            self._rest = b""
        return self._cleaned(block)

    def _without_skipped(self, data: bytes) -> bytes:
        """Drop the end of the overlong line, and count its bytes that were dropped before."""
        start = data.find(b"\n") + 1
        self.position += self._skipped + start
        self._skipped = 0
        return data[start:]

    def _cleaned(self, block: bytes) -> bytes:
        if self._has_overlong(block):
            lines = block.split(b"\n")[:-1]
            fitting = [line for line in lines if len(line) < self._max_line]
            self.overlong += len(lines) - len(fitting)
            block = b"".join(line + b"\n" for line in fitting)
        if block.startswith((b"\n", b"\r\n")) or _EMPTY_LINE(block):
            block = b"".join(line + b"\n" for line in block.split(b"\n") if line and line != b"\r")
        return block

    def _has_overlong(self, block: bytes) -> bool:
        # Every window of max_line bytes from a line's start must hold an LF: a few searches a block.
        start, end = 0, len(block)
        while start < end:
            start = block.rfind(b"\n", start, start + self._max_line) + 1
            if not start:
                return True
        return False
