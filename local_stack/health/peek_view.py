"""Records as a table: time, key, and a column for each field of flat JSON rows. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from local_stack.health.peek import Peeked


def as_table(records: Sequence[Peeked], keys: bool = True) -> Table:
    """The table; with `keys`, also the time and the key of each record.

    Records with nested rows, or without a JSON object, are in one column, unchanged and cut to the screen.
    """
    rows = [_row(record.value) for record in records]
    flat = all(isinstance(row, dict) for row in rows) and not any(
        isinstance(value, dict | list) for row in rows if row for value in row.values()
    )
    fields = list(dict.fromkeys(name for row in rows if row for name in row)) if flat else []
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    before = ("time", "key") if keys else ()
    for name in (*before, *(fields or ["row"])):
        # rich narrows the widest of the columns that may wrap; the others, only the time, keep their width.
        table.add_column(_cut(name), no_wrap=name == "time")
    for record, row in zip(records, rows, strict=True):
        cells = (
            [_text(row.get(name)) for name in fields] if flat and row is not None else [_raw(record.value)]
        )
        outside = (_time(record.time), _key(record.key)) if keys else ()
        table.add_row(*(_cut(_printable(cell)) for cell in (*outside, *cells)))
    return table


def _cut(text: str) -> Text:
    """One line, which ends with … where the column is too narrow."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def _row(value: bytes | None) -> Any:
    if value is None:
        return {}
    try:
        return json.loads(value)
    except ValueError:
        return None


def _key(key: bytes | None) -> str:
    """The key as text; of a JSON key only the values, because the row has their names."""
    found = _row(key) if key else None
    if isinstance(found, dict):
        return " ".join(_text(value) for value in found.values())
    return _raw(key)


def _raw(data: bytes | None) -> str:
    return "-" if data is None else data.decode("utf-8", "backslashreplace")


def _printable(text: str) -> str:
    """The text without control characters, which a terminal would execute."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "-" if value is None else json.dumps(value)


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"
