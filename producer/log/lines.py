"""Posted lines: cut from a stream, and checked before they go into the log. Pure."""

from __future__ import annotations

import re

from producer.events.line_rule import why_no_object
from producer.protocol import MAX_LINE_BYTES

_LONGEST = MAX_LINE_BYTES - 1  # without its LF
_NOT_ASCII = re.compile("[^\x00-\x7f]")


class LineSplitter:
    """Cuts NDJSON at LF. Of a line that is too long only so much is held as shows that it is."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that are whole now, without LF, CR and empty ones."""
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[: MAX_LINE_BYTES + 1] if len(rest) > MAX_LINE_BYTES else rest
        return [line for each in lines if (line := each.strip(b" \t\r"))]

    def finish(self) -> list[bytes]:
        """The last line, which needs no LF."""
        return self.feed(b"\n")


def as_logged(line: bytes) -> tuple[bytes, str]:
    """The line with its LF as the log keeps it and "", or b"" and the reason why it is no event.

    A line of ASCII is taken byte for byte; in any other the characters are escaped: the wire is ASCII only.
    The reasons are those of line_rule. An event needs no key here: the bridge decides which fields it wants.
    """
    if reason := why_no_object(line, _LONGEST):
        return b"", reason
    if not line.isascii():
        line = _NOT_ASCII.sub(_escape, line.decode()).encode("ascii")
        if len(line) > _LONGEST:
            return b"", "too-long"
    return line + b"\n", ""


def _escape(character: re.Match[str]) -> str:
    """JSON text has such characters in strings only, where an escape says the same."""
    units = character[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
