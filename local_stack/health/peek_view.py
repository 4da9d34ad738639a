"""Shows records as a table, or one below the other if a table does not fit. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from local_stack.health.peek import Peeked
from toolkit.terminal_text import printable

_READABLE = 24  # characters of a text, of which its column shows at least that many
_BETWEEN = 3  # characters between two columns


def for_screen(records: Sequence[Peeked], width: int) -> RenderableType:
    """A table, or one record below the other if `width` characters are too few to read all columns."""
    rows = [_row(record.value) for record in records]
    if not all(isinstance(row, dict) for row in rows) or _table_width(records, rows) <= width:
        return as_table(records)
    return Group(*map(_block, records, rows))


def _table_width(records: Sequence[Peeked], rows: list[dict[str, Any]]) -> int:
    """The smallest width in which each column of the table can be read."""
    columns: dict[str, int] = {}
    for row in rows:
        for name, value in row.items():
            needed = max(len(name), min(len(_text(value)), _READABLE))
            columns[name] = max(columns.get(name, 0), needed)
    key = max(min(len(_key(record.key)), _READABLE) for record in records)
    return len(_time(0)) + _BETWEEN + key + sum(_BETWEEN + each for each in columns.values())


def _block(record: Peeked, row: dict[str, Any]) -> RenderableType:
    """The time and the key; below them, a line for each field."""
    fields = Table.grid(padding=(0, 2, 0, 0))
    fields.add_column(style="dim", no_wrap=True)
    fields.add_column()
    for name, value in row.items():
        fields.add_row(_cut(f"  {printable(name)}"), _cut(printable(_text(value))))
    return Group(_cut(f"{_time(record.time)}  {printable(_key(record.key))}"), fields)


def as_table(records: Sequence[Peeked], keys: bool = True) -> Table:
    """The table; with `keys`, also the time and the key of each record.

    Records with nested objects, or without a JSON object, get one column, unchanged and cut to the screen.
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
        table.add_row(*(_cut(printable(cell)) for cell in (*outside, *cells)))
    return table


def _cut(text: str) -> Text:
    """One line, which ends with … where the column is too narrow."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def _row(value: bytes | None) -> Any:
    if value is None:
        return {}
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # lines that are nested too deep are in the rejected topic
        return None


def _key(key: bytes | None) -> str:
    """The key as text; of a JSON key only the values, because the row has their names."""
    found = _row(key) if key else None
    if isinstance(found, dict):
        return " ".join(_text(value) for value in found.values())
    return _raw(key)


def _raw(data: bytes | None) -> str:
    return "-" if data is None else data.decode("utf-8", "backslashreplace")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "-" if value is None else json.dumps(value)


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"
