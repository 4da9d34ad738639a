"""Posted lines: cut from a stream, and checked before they go into the log. Pure."""

from __future__ import annotations

import re

from producer.events.line_rule import why_no_object
from producer.protocol import MAX_LINE_BYTES

_LONGEST = MAX_LINE_BYTES - 1  # without its LF
_NOT_ASCII = re.compile("[^\x00-\x7f]")


class LineSplitter:
    """Splits NDJSON at LF. Of a line that is too long, only the first part is kept in memory."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that are complete now, without LF and CR; empty lines are left out."""
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[: MAX_LINE_BYTES + 1] if len(rest) > MAX_LINE_BYTES else rest
        return [line for each in lines if (line := each.strip(b" \t\r"))]

    def finish(self) -> list[bytes]:
        """The last line, which needs no LF."""
        return self.feed(b"\n")


def as_logged(line: bytes) -> tuple[bytes, str]:
    """The line with its LF, as the log stores it, and ""; or b"" and the reason why it is not an event.

    An ASCII line keeps its bytes; in any other line, characters are escaped, because the protocol is ASCII
    only. The reasons are those of line_rule. An event needs no key here: the bridge decides which fields it
    wants.
    """
    if reason := why_no_object(line, _LONGEST):
        return b"", reason
    if not line.isascii():
        line = _NOT_ASCII.sub(_escape, line.decode()).encode("ascii")
        if len(line) > _LONGEST:
            return b"", "too-long"
    return line + b"\n", ""


def _escape(character: re.Match[str]) -> str:
    """Escape non-ASCII characters. JSON has them only in strings, where an escape means the same."""
    units = character[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
