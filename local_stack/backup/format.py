"""One record of a topic as one line of JSON, and back. Pure.

{"offset": 7, "timestamp": 1732179600000, "key": "WS-001", "value": "…", "headers": [["level", "Error"]]}

UTF-8 text is written unchanged, other bytes as {"base64": "…"}; null is null. `timestamp` is in milliseconds
since 1970, or null if the record has none.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import orjson


class FormatError(ValueError):
    """A line is not a record; the text says why."""


class Record(NamedTuple):
    """One record of a topic. `offset` is that of the exported topic; an import cannot keep it."""

    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def as_line(record: Record) -> bytes:
    """The record as one line, with a line feed only at its end."""
    return orjson.dumps(
        {
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": _told(record.key),
            "value": _told(record.value),
            "headers": [[name, _told(value)] for name, value in record.headers],
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def read_line(line: bytes) -> Record:
    """Raises FormatError."""
    try:
        found = orjson.loads(line)
        headers = tuple((str(name), _bytes(value)) for name, value in found["headers"])
        offset, timestamp = int(found["offset"]), found["timestamp"]
        return Record(offset, timestamp, _bytes(found["key"]), _bytes(found["value"]), headers)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise FormatError(f"not a record ({error}): {line[:80]!r}") from error


def _told(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _bytes(told: Any) -> bytes | None:
    if told is None:
        return None
    return told.encode() if isinstance(told, str) else base64.b64decode(told["base64"], validate=True)
