"""Rows of the result topics by their key: the small class behind which a cache may stand later."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import Any, Protocol

MAX_ROWS = 5_000  # a topic


@dataclass(frozen=True)
class Row:
    """`key` as text; `fields` is what the record says, unchecked.

    `timestamp` of the record in seconds; `since` is that of the first record of the key that is known.
    """

    topic: str
    key: str
    partition: int
    offset: int
    timestamp: float | None
    fields: dict[str, Any]
    since: float | None = None


class Results(Protocol):
    """Counts, windows, sessions, alerts. All calls are cheap and never fail."""

    def put(self, row: Row) -> None:
        """A later row of the same topic and key replaces the earlier one."""

    def remove(self, topic: str, key: str) -> None: ...

    def newest(self, topic: str, limit: int) -> list[Row]:
        """The rows that changed last, newest first."""

    def count(self, topic: str) -> int: ...

    def version(self, topic: str) -> int:
        """Grows with every change of the topic's rows."""


class MemoryResults:
    """Keeps the MAX_ROWS of each topic that changed last."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._lock = Lock()
        self._max_rows = max_rows
        self._rows: dict[str, OrderedDict[str, Row]] = {}
        self._versions: dict[str, int] = {}

    def put(self, row: Row) -> None:
        with self._lock:
            rows = self._rows.setdefault(row.topic, OrderedDict())
            before = rows.get(row.key)
            rows[row.key] = replace(row, since=before.since if before else row.timestamp)
            rows.move_to_end(row.key)
            if len(rows) > self._max_rows:
                rows.popitem(last=False)
            self._changed(row.topic)

    def remove(self, topic: str, key: str) -> None:
        with self._lock:
            rows = self._rows.get(topic)
            if rows is not None and rows.pop(key, None) is not None:
                self._changed(topic)

    def newest(self, topic: str, limit: int) -> list[Row]:
        with self._lock:
            rows = self._rows.get(topic)
            return list(islice(reversed(rows.values()), limit)) if rows else []

    def count(self, topic: str) -> int:
        with self._lock:
            return len(self._rows.get(topic, {}))

    def version(self, topic: str) -> int:
        with self._lock:
            return self._versions.get(topic, 0)

    def _changed(self, topic: str) -> None:
        self._versions[topic] = self._versions.get(topic, 0) + 1
