"""Checks a caller's own events (POST /events). Pure: NDJSON in, lines of the log out, all or nothing."""

from __future__ import annotations

import json

from producer.protocol import MAX_LINE_BYTES


class InjectionError(ValueError):
    """The body is refused; the text names the line, `status` is the HTTP status."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def take_lines(body: bytes) -> list[bytes]:
    """One JSON object a line; empty lines are left out. Raises InjectionError for the first bad line.

    A line of ASCII is taken byte for byte, any other is escaped: the wire is ASCII only.
    """
    lines = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if line := line.strip():
            lines.append(_check(line, number) + b"\n")
    if not lines:
        raise InjectionError("the body holds no event")
    return lines


def _check(line: bytes, number: int) -> bytes:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InjectionError(f"line {number}: not JSON: {error}") from error
    if not isinstance(event, dict):
        raise InjectionError(f"line {number}: expected a JSON object, found {type(event).__name__}")
    if not line.isascii():
        line = json.dumps(event, separators=(",", ":")).encode("ascii")
    if len(line) >= MAX_LINE_BYTES:
        raise InjectionError(f"line {number}: {len(line)} bytes, at most {MAX_LINE_BYTES - 1} are taken", 413)
    return line
