"""Counts and latency in one bucket per second, for the width of the charts."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from console.state.event import LEVELS, OTHER
from toolkit.ranks import percentile

SECONDS = 300
_SAMPLES = 500  # latencies per second
NAMES = (*LEVELS, OTHER)


@dataclass
class Bucket:
    """The counts of one second. `levels` in the order of NAMES; latency in seconds."""

    second: int
    levels: list[int] = field(default_factory=lambda: [0] * len(NAMES))
    rejected: int = 0
    alerts: int = 0
    latencies: list[float] = field(default_factory=list)


class Series:
    """The last SECONDS seconds. A count for an older second goes into the oldest bucket."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._buckets: OrderedDict[int, Bucket] = OrderedDict()
        self.totals: dict[str, int] = dict.fromkeys(NAMES, 0)

    def event(self, now: float, level: str, latency: float | None) -> None:
        with self._lock:
            bucket = self._bucket(now)
            bucket.levels[NAMES.index(level)] += 1
            self.totals[level] += 1
            if latency is not None and len(bucket.latencies) < _SAMPLES:
                bucket.latencies.append(round(latency, 4))

    def rejected(self, now: float) -> None:
        with self._lock:
            self._bucket(now).rejected += 1

    def alert(self, now: float) -> None:
        with self._lock:
            self._bucket(now).alerts += 1

    def wants_latency(self, now: float) -> bool:
        """Whether more latencies are needed: to compute one costs as much as to count an event."""
        bucket = self._buckets.get(int(now))
        return bucket is None or len(bucket.latencies) < _SAMPLES

    def rows(self, since: int, now: float) -> list[list[float | None]]:
        """[second, count of each of NAMES, rejected, alerts, p50, p95, p99] for the seconds from `since` on.

        The current second is left out: half a second would look like half the rate.
        """
        with self._lock:
            return [_row(b) for second, b in self._buckets.items() if since <= second < int(now)]

    def _bucket(self, now: float) -> Bucket:
        second = int(now)
        bucket = self._buckets.get(second)
        if bucket is None:
            bucket = self._buckets[second] = Bucket(second)
            while len(self._buckets) > SECONDS:
                self._buckets.popitem(last=False)
        return bucket


def _row(bucket: Bucket) -> list[float | None]:
    ordered = sorted(bucket.latencies)
    return [
        bucket.second,
        *bucket.levels,
        bucket.rejected,
        bucket.alerts,
        *(percentile(ordered, percent) for percent in (50, 95, 99)),
    ]
