"""The stored form of one key: the newest rows of a topic, or the counts. JSON, checked when read. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from console.state.results import Row
from console.state.series import NAMES


class Counts(msgspec.Struct, frozen=True):
    """Events by level that consoles have read since `since` (seconds since the epoch)."""

    since: float
    by_level: dict[str, int]


def rows_as_bytes(rows: Iterable[Row], max_bytes: int) -> bytes:
    """The rows as JSON, newest first, as many as have room."""
    kept, size = [], 2
    for row in rows:
        value = msgspec.json.encode(row)
        size += len(value) + 1
        if size > max_bytes:
            break
        kept.append(value)
    return b"[" + b",".join(kept) + b"]"


def read_rows(value: bytes, topic: str) -> list[Row] | None:
    """The rows, newest first; None if rows_as_bytes did not write the value for this topic."""
    try:
        rows = msgspec.json.decode(value, type=list[Row])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return rows if all(row.topic == topic for row in rows) else None


def counts_as_bytes(counts: Counts) -> bytes:
    return msgspec.json.encode(counts)


def read_counts(value: bytes) -> Counts | None:
    try:
        counts = msgspec.json.decode(value, type=Counts)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return counts if set(counts.by_level) == set(NAMES) and min(counts.by_level.values()) >= 0 else None
