"""The one rule of what a valid line is, for the tools in Python. Pure.

A valid line is one JSON object (RFC 8259) in UTF-8 with a key, see docs/GUARANTEES.md. The bridge has the
same rule in Java; tests/conformance/ tests both, and every other reader of lines here, with the same cases.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from producer.event_fields import KEY_FIELDS, TEXT_MEMBER, places

MAX_LINE = 65_536
MAX_DEPTH = 1_000
# Why a line is no JSON object. `missing:FIELD` says of an object that it has no key.
REASONS = (
    "bom",
    "not-an-object",
    "not-json",
    "nul",
    "octet-count",
    "several-values",
    "syslog-prefix",
    "too-deep",
    "too-long",
    "utf-16",
)

# Characters that Unicode keeps for inside a program. One that the line does not hold stands for half of a
# surrogate pair, which no Python str of ours should hold.
_MARKS = [chr(code) for code in range(0xFDD0, 0xFDF0)]
may_be_damaged = re.compile("[\ufdd0-\ufdef]").search
"""Whether a text from `parse_object` has characters that may come from half a pair; `read_line` decides."""
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[-+.\deE]*|[\[{]|[\]}]', re.DOTALL)
_NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?").fullmatch
_ESCAPE = re.compile(
    rb"(\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2})|(\\u[dD][89a-fA-F][\da-fA-F]{2})|\\.",
    re.DOTALL,
)
_SYSLOG = re.compile(rb"<\d{1,3}>").match
_OCTETS = re.compile(rb"\d+ [<{]").match
_ANOTHER = re.compile(rb"[ \t\r]*,?[ \t\r]*[\[{]").match
_BRACKETS = (b"{", b"[")
_SHALLOW = 2 * MAX_DEPTH  # bytes: no shorter line can be nested deeper than that: [[[…]]]
_SHALLOW_WITHOUT_ARRAYS = 5 * MAX_DEPTH  # {"":{"":…}}


class Line(NamedTuple):
    """A line that was read: its object and its key, or the reason why it is not an event."""

    event: dict[str, Any] | None
    reason: str | None = None
    key: str | None = None


def is_plain(line: bytes) -> bool:
    """Whether a parser may read the line that checks neither the text nor the depth of values that it skips.

    msgspec is such a parser, if it gets a class with only the wanted members.
    """
    return line.isascii() and (len(line) <= _SHALLOW or _brackets(line) <= MAX_DEPTH)


def are_plain(lines: Sequence[bytes]) -> bool:
    """Whether is_plain is true for all lines. If that would take long to find out, the answer is False."""
    if not all(map(bytes.isascii, lines)) or max(map(len, lines), default=0) > _SHALLOW_WITHOUT_ARRAYS:
        return False
    return not any(len(line) > _SHALLOW and b"[" in line for line in lines)


def read_line(line: bytes, key_fields: Sequence[str] = KEY_FIELDS, max_line: int = MAX_LINE) -> Line:
    """Read a line (without its LF): the result is an event, or the reason why it is none."""
    if len(line) > max_line:
        return Line(None, "too-long")
    reason, value, damaged = _parse(line)
    if reason is not None:
        return Line(None, reason)
    if not isinstance(value, dict):
        return Line(None, "not-an-object")
    found = _scalar(value, key_fields)
    if found is None:
        return Line(None, f"missing:{key_fields[0]}")
    key = _text(found)
    if damaged and damaged in key:
        return Line(None, "not-json")
    return Line(value, None, _digits(line, key_fields, key) if isinstance(found, int | float) else key)


def why_no_object(line: bytes, max_line: int = MAX_LINE) -> str | None:
    """Why a line that needs no key is not an event; None if it is one."""
    if len(line) > max_line:
        return "too-long"
    reason, value, damaged = _parse(line)
    if reason is None and not isinstance(value, dict):
        return "not-an-object"
    if damaged:  # it may be in the key
        reason = read_line(line, max_line=max_line).reason
        return None if reason is None or reason.startswith("missing:") else reason
    return reason


def parse_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line, or None.

    Half a surrogate pair becomes U+FDD0 or one of the 31 characters after it; an infinite number becomes 0.
    """
    reason, value, _ = _parse(line)
    return value if reason is None and isinstance(value, dict) else None


def first_of(event: dict[str, Any], names: Sequence[str]) -> str | None:
    """The text of the first field that is present: not null, and no object except one that has a #text."""
    value = _scalar(event, names)
    return None if value is None else _text(value)


def _scalar(event: dict[str, Any], names: Sequence[str]) -> str | int | float | None:
    for name in names:
        for path in places(name):
            value = _at(event, path)
            if isinstance(value, dict):
                value = value.get(TEXT_MEMBER)
            if value is not None and not isinstance(value, dict | list):
                return value  # type: ignore[no-any-return]
    return None


def _digits(line: bytes, key_fields: Sequence[str], key: str) -> str:
    """The key as the line writes it, if it is a number: 1.10 is not 1.1, and 23 digits are no double."""
    try:
        event = json.loads(line.decode(), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):  # a depth that is allowed, but not for this parser
        return key
    return first_of(event, key_fields) or key


def _at(event: dict[str, Any], path: Sequence[str]) -> Any:
    value: Any = event
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: str | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _parse(line: bytes) -> tuple[str | None, Any, str]:
    """(reason, value, the character that replaces half a surrogate pair in it; empty without one)."""
    if _brackets(line) > MAX_DEPTH and _is_too_deep(line):
        return "too-deep", None, ""
    try:
        return None, *_value(line)
    except ValueError:
        return _why_not_json(line), None, ""


def _value(line: bytes) -> tuple[Any, str]:
    """The JSON value, and the character that replaces half a surrogate pair in it. Raises ValueError."""
    try:
        return orjson.loads(line), ""
    except ValueError:
        # orjson refuses what the standard allows: half a surrogate pair, numbers that no double can hold.
        mark = next((each for each in _MARKS if not _holds(line, each)), _MARKS[0])
        plain = _TOKEN.sub(lambda token: _plain(token[0], mark.encode()), line)
        return orjson.loads(plain), mark if mark.encode() in plain else ""


def _holds(line: bytes, character: str) -> bool:
    return character.encode() in line or f"\\u{ord(character):x}".encode() in line.lower()


def _plain(token: bytes, mark: bytes) -> bytes:
    if token[:1] == b'"':
        return _ESCAPE.sub(lambda escape: mark if escape[2] else escape[0], token)
    return b"0" if _NUMBER(token) and math.isinf(float(token)) else token


def _brackets(line: bytes) -> int:
    return line.count(b"[") + line.count(b"{")


def _is_too_deep(line: bytes) -> bool:
    """Whether the line is JSON up to the first bracket that is too deep: else that is not what is wrong."""
    closing: list[bytes] = []
    for token in _TOKEN.finditer(line):
        if token[0] in _BRACKETS:
            if len(closing) == MAX_DEPTH:
                return _is_sound(line) and _is_json(
                    line[: token.start()] + b"0" + b"".join(reversed(closing))
                )
            closing.append(b"}" if token[0] == b"{" else b"]")
        elif closing and token[0] in (b"}", b"]"):
            closing.pop()
    return False


def _is_sound(line: bytes) -> bool:
    return b"\0" not in line and _is_utf8(line)


def _why_not_json(line: bytes) -> str:
    if line.startswith(b"\xef\xbb\xbf"):
        return "bom"
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in line:
        return "utf-16" if _every_other_is_nul(line) else "nul"
    if _SYSLOG(line):
        return "syslog-prefix"
    if _OCTETS(line):
        return "octet-count"
    return "several-values" if _is_utf8(line) and _holds_several(line) else "not-json"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _every_other_is_nul(line: bytes) -> bool:
    even, odd = line[::2].count(0), line[1::2].count(0)
    return not (even and odd) and (even + odd) * 4 >= len(line) > 1


def _holds_several(line: bytes) -> bool:
    """Whether another object or array follows the first complete one."""
    if line.lstrip(b" \t\r")[:1] not in _BRACKETS:
        return False
    depth = 0
    for token in _TOKEN.finditer(line):
        depth += (token[0] in _BRACKETS) - (token[0] in (b"}", b"]"))
        if depth <= 0:
            return depth == 0 and bool(_ANOTHER(line, token.end())) and _is_json(line[: token.end()])
    return False


def _is_json(text: bytes) -> bool:
    try:
        _value(text)
    except ValueError:
        return False
    return True
