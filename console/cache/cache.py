"""When the cache is read and when it is written.

At its start, a console loads the cache into memory. When a topic has been read up to its end, memory is up to
date and the old content of the cache no longer counts; from then on the cache is written once a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from console.cache.metrics import EMPTY, FOREIGN, Lookups
from console.cache.server import MAX_BYTES, Server
from console.cache.snapshot import Counts, counts_as_bytes, read_counts, read_rows, rows_as_bytes
from console.reading.poller import AwayError
from console.state.results import Results

MAX_ROWS = 500  # rows of a topic: as many as one answer has
_KEPT_SECONDS = 7 * 24 * 3600
_COUNTS = "counts"


class Cache:
    """Only one thread may call `look`; any thread may call the rest.

    `space`: a part of every key, so that consoles of several clusters can share a server.
    `totals`: the counts of this run. `is_read`: whether a topic was read up to its end.
    """

    def __init__(
        self,
        server: Server,
        space: str,
        results: Results,
        topics: Sequence[str],
        totals: Callable[[], Mapping[str, int]],
        is_read: Callable[[str], bool],
    ) -> None:
        self._server, self._space, self._results = server, space, results
        self._topics, self._totals, self._is_read = topics, totals, is_read
        self.lookups = Lookups((*topics, _COUNTS))
        self._began = time.time()
        self._before: Counts | None = None
        self._was_read = False
        self._settled: set[str] = set()
        self._written: dict[str, object] = {}

    def look(self) -> None:
        """Read the topics that were not read yet, and write changed ones. Raises AwayError."""
        self._settle()
        try:
            if not self._was_read:
                self._read()
            self._write()
        except AwayError:
            self._written.clear()  # the server may come back empty
            raise

    def counts(self) -> Counts:
        """The counts of this run and of earlier runs that are in the cache."""
        self.lookups.count(_COUNTS)
        return self._sum()

    def answered(self, topic: str) -> None:
        """Count a request for rows of a topic that memory alone cannot answer yet."""
        if topic not in self._settled:
            self.lookups.count(topic)

    def close(self) -> None:
        self._server.close()

    def _settle(self) -> None:
        for topic in self._topics:
            if topic not in self._settled and self._is_read(topic):
                self._results.settle(topic)
                self._settled.add(topic)

    def _read(self) -> None:
        names = (*self._topics, _COUNTS)
        values = self._server.read([self._key(name) for name in names])
        for name, value in zip(names, values, strict=True):
            self.lookups.state[name] = self._take(name, value)
        self._was_read = True

    def _take(self, name: str, value: bytes | None) -> str | None:
        """Load one topic or the counts; returns why the cache has nothing, or None."""
        if value == b"":
            return EMPTY
        if name == _COUNTS:
            self._before = read_counts(value) if value else None
            return FOREIGN if self._before is None else None
        rows = read_rows(value, name) if value else None
        if rows is None:
            return FOREIGN
        if name not in self._settled:
            self._results.remember(rows)
        return None

    def _sum(self) -> Counts:
        before, mine = self._before, dict(self._totals())
        if before is None:
            return Counts(self._began, mine)
        return Counts(before.since, {name: before.by_level[name] + count for name, count in mine.items()})

    def _write(self) -> None:
        """Write rows of a topic, but only after the topic was read up to its end."""
        versions: dict[str, object] = {name: self._results.version(name) for name in self._settled}
        changed = {name: version for name, version in versions.items() if self._written.get(name) != version}
        values = {
            self._key(name): rows_as_bytes(self._results.newest(name, MAX_ROWS), MAX_BYTES)
            for name in changed
        }
        counts = self._sum()
        if self._written.get(_COUNTS) != counts:
            changed[_COUNTS] = counts
            values[self._key(_COUNTS)] = counts_as_bytes(counts)
        if values:
            self._server.write(values, _KEPT_SECONDS)
        else:
            self._server.ping()
        self._written |= changed

    def _key(self, name: str) -> str:
        kind = name if name == _COUNTS else f"rows:{name}"
        return f"win-event-console:1:{self._space}:{kind}"
