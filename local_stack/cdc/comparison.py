"""Compares a topic with a table: the newest record of each key with the row. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
_KEY = "name"


@dataclass(frozen=True)
class Comparison:
    """Keys that are `missing` in the topic, only there (`surplus`), or there with `different` values."""

    table: str
    rows: int
    records: int
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    different: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not (self.missing or self.surplus or self.different)


def compare(
    table: str, rows: Sequence[Row], records: Sequence[tuple[bytes | None, bytes | None]]
) -> Comparison:
    """Compare the rows of a table with a topic.

    `records`: every key and value of the topic, in its order, as Debezium writes them.
    """
    wanted = {str(row[_KEY]): _comparable(row) for row in rows}
    found = last_rows(records)
    return Comparison(
        table,
        len(rows),
        len(records),
        tuple(sorted(wanted.keys() - found.keys())),
        tuple(sorted(found.keys() - wanted.keys())),
        tuple(sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])),
    )


def last_rows(records: Iterable[tuple[bytes | None, bytes | None]]) -> dict[str, Row]:
    """The state after reading the whole topic: key -> row."""
    found: dict[str, Row] = {}
    for key, value in records:
        name = json.loads(key or b"{}").get(_KEY, "")
        after = json.loads(value)["after"] if value else None
        if after is None:  # deleted, or the tombstone after it, which lets compaction remove the key
            found.pop(name, None)
        else:
            found[name] = _comparable(after)
    return found


def _comparable(row: Row) -> Row:
    since = row["valid_from"]
    moment = datetime.fromisoformat(since.replace("Z", "+00:00")) if isinstance(since, str) else since
    return {**row, "valid_from": moment}
