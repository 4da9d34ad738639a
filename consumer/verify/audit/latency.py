"""Latency percentiles and the append rate, in bounded memory. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from producer.events.event_time import to_milliseconds
from toolkit.ranks import nearest_rank

_EXACT_BELOW = 10_000  # milliseconds; larger values keep three digits
# 2026-11-21T09:28:24.1778590Z: the text up to the point, the milliseconds, the rest
_SECOND, _MILLISECONDS, _LAST = slice(20), slice(20, 23), slice(27, None)


@dataclass(frozen=True)
class Latency:
    """Milliseconds from event time to Kafka append."""

    p50: int
    p99: int
    max: int


class AppendTimes:
    """Counts records per millisecond of latency; above ten seconds per 0.1 to 1 % step."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._max: int | None = None
        self._first_append = self._last_append = 0

    def add(self, times: Iterable[tuple[bytes, int]]) -> None:
        """Add event time (text) and Kafka timestamp (ms) of each record of a batch."""
        counts: dict[int, int] = {}
        second, base = b"", 0
        first, last = self._first_append or 2**63, self._last_append
        for timestamp, appended in times:
            # Neighbours share the second, so its text is parsed once; any other form takes the slow path.
            if timestamp[_SECOND] == second and timestamp[_LAST] == b"Z":
                latency = appended - base - int(timestamp[_MILLISECONDS])
            else:
                happened = to_milliseconds(timestamp)
                if happened is None:
                    continue
                latency = appended - happened
                if timestamp[19:20] == b"." and timestamp[_LAST] == b"Z":
                    second, base = timestamp[_SECOND], happened - int(timestamp[_MILLISECONDS])
            counts[latency] = counts.get(latency, 0) + 1
            if appended > last:
                last = appended
            if appended < first:
                first = appended
        if counts:
            self._first_append, self._last_append = first, last
            self._fold(counts)

    def summary(self) -> Latency | None:
        """The percentiles.

        None if nothing was measured, or if the topic has event times instead of append times.
        """
        if self._max is None or self._counts.keys() == {0}:
            return None
        return Latency(self._percentile(50), self._percentile(99), self._max)

    def seconds(self) -> float:
        """From the first append to the last."""
        return (self._last_append - self._first_append) / 1000

    def _fold(self, counts: dict[int, int]) -> None:
        highest = max(counts)
        self._max = highest if self._max is None else max(self._max, highest)
        for latency, count in counts.items():
            kept = _rounded(latency)
            self._counts[kept] = self._counts.get(kept, 0) + count

    def _percentile(self, percent: int) -> int:
        wanted = nearest_rank(percent, sum(self._counts.values()))
        passed = 0
        for latency in sorted(self._counts):
            passed += self._counts[latency]
            if passed >= wanted:
                return latency
        raise AssertionError("percentile of nothing")


def _rounded(latency: int) -> int:
    if latency < _EXACT_BELOW:
        return latency
    step: int = 10 ** (len(str(latency)) - 3)
    return latency // step * step
