"""Latency percentiles in bounded memory. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from consumer.event_time import EventClock

_EXACT_BELOW = 10_000  # milliseconds; above, three digits are kept


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
        self._milliseconds = EventClock().milliseconds
        self._max: int | None = None
        self._append_is_event_time = True
        self._first_append = self._last_append = 0

    def add(self, timestamp: bytes, appended: int) -> None:
        """One record: its event time as text and its Kafka timestamp in ms."""
        if appended > self._last_append:
            self._last_append = appended
        if appended < self._first_append or not self._first_append:
            self._first_append = appended
        happened = self._milliseconds(timestamp)
        if happened is None:
            return
        latency = appended - happened
        if latency:
            self._append_is_event_time = False
        if self._max is None or latency > self._max:
            self._max = latency
        if latency >= _EXACT_BELOW:
            step = 10 ** (len(str(latency)) - 3)
            latency = latency // step * step
        self._counts[latency] = self._counts.get(latency, 0) + 1

    def summary(self) -> Latency | None:
        """None when nothing was measured, or when the topic holds event time instead of append time."""
        if self._max is None or self._append_is_event_time:
            return None
        return Latency(self._percentile(50), self._percentile(99), self._max)

    def seconds(self) -> float:
        """From the first append to the last."""
        return (self._last_append - self._first_append) / 1000

    def _percentile(self, percent: int) -> int:
        wanted = -(-sum(self._counts.values()) * percent // 100)
        passed = 0
        for latency in sorted(self._counts):
            passed += self._counts[latency]
            if passed >= wanted:
                return latency
        raise AssertionError("percentile of nothing")
