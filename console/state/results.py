"""Rows of the result topics by their key: those that were read, and before that those of a cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import Any

MAX_ROWS = 5_000  # per topic


@dataclass(frozen=True)
class Row:
    """A row of a result topic. `key` as text; `fields` are those of the record, unchecked.

    `timestamp` of the record in seconds; `since` is that of the first record of the key that is known.
    """

    topic: str
    key: str
    partition: int
    offset: int
    timestamp: float | None
    fields: dict[str, Any]
    since: float | None = None


class Results:
    """Windows, sessions, alerts: the MAX_ROWS rows of each topic that changed last. All calls are cheap."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._lock = Lock()
        self._max_rows = max_rows
        self._rows: dict[str, OrderedDict[str, Row]] = {}
        self._versions: dict[str, int] = {}
        self._remembered: dict[str, set[str]] = {}  # keys of rows that no record has confirmed yet

    def put(self, row: Row) -> bool:
        """Store a row, which replaces an earlier one of the same topic and key. True if there was none."""
        with self._lock:
            rows = self._rows.setdefault(row.topic, OrderedDict())
            before = rows.get(row.key)
            rows[row.key] = replace(row, since=before.since if before else row.timestamp)
            rows.move_to_end(row.key)
            self._remembered.get(row.topic, set()).discard(row.key)
            if len(rows) > self._max_rows:
                rows.popitem(last=False)
            self._changed(row.topic)
            return before is None

    def remember(self, rows: Iterable[Row]) -> None:
        """Add rows of a cache, newest first; rows that were read have priority."""
        with self._lock:
            for row in rows:
                known = self._rows.setdefault(row.topic, OrderedDict())
                if row.key not in known and len(known) < self._max_rows:
                    known[row.key] = row
                    known.move_to_end(row.key, last=False)
                    self._remembered.setdefault(row.topic, set()).add(row.key)
                    self._changed(row.topic)

    def settle(self, topic: str) -> None:
        """Remove rows that are only in the cache, because the topic was read up to its end."""
        with self._lock:
            gone = self._remembered.pop(topic, set())
            for key in gone:
                self._rows[topic].pop(key, None)
            if gone:
                self._changed(topic)

    def remove(self, topic: str, key: str) -> None:
        with self._lock:
            rows = self._rows.get(topic)
            if rows is not None and rows.pop(key, None) is not None:
                self._changed(topic)

    def forget(self, topic: str, partition: int) -> None:
        """Remove the rows of a partition, because the topic was deleted and created again."""
        with self._lock:
            rows = self._rows.get(topic, OrderedDict())
            for key in [key for key, row in rows.items() if row.partition == partition]:
                del rows[key]
                self._changed(topic)

    def newest(self, topic: str, limit: int) -> list[Row]:
        """The rows that changed last, newest first."""
        with self._lock:
            rows = self._rows.get(topic)
            return list(islice(reversed(rows.values()), limit)) if rows else []

    def count(self, topic: str) -> int:
        with self._lock:
            return len(self._rows.get(topic, {}))

    def version(self, topic: str) -> int:
        """A number that increases with every change of the topic's rows."""
        with self._lock:
            return self._versions.get(topic, 0)

    def _changed(self, topic: str) -> None:
        self._versions[topic] = self._versions.get(topic, 0) + 1
