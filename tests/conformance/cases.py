"""The two files of examples as values."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).resolve().parent


class LineCase(NamedTuple):
    """One of `key` and `reason` is None. `is_object`: the line is a JSON object, with or without a key."""

    name: str
    line: bytes
    reason: str | None
    key: str | None
    is_object: bool

    @property
    def is_event(self) -> bool:
        return self.reason is None


class TimestampCase(NamedTuple):
    """`text`: the JSON value, as in a line. `milliseconds`: None if the value is not a time."""

    text: Any
    milliseconds: int | None


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(row) for row in (_HERE / name).read_text(encoding="utf-8").splitlines()]


def _text(value: str | list[Any]) -> str:
    return value if isinstance(value, str) else "".join(text * times for text, times in value)


def _line(row: dict[str, Any]) -> LineCase:
    assert row["verdict"] == ("rejected" if "reason" in row else "event"), row["name"]
    line = row["line"]
    content = b64decode(line["base64"]) if isinstance(line, dict) else _text(line).encode()
    key = _text(row["key"]) if "key" in row else None
    return LineCase(row["name"], content, row.get("reason"), key, row.get("object", "key" in row))


LINES = [_line(row) for row in _rows("lines.ndjson")]
TIMESTAMPS = [TimestampCase(row["text"], row["milliseconds"]) for row in _rows("timestamps.ndjson")]
