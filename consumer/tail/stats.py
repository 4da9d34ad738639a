"""Totals by level and source, rate, gaps in record ids. Pure; the clock is a parameter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumer.events.event_view import EventView
from consumer.events.intervals import Intervals

_RATE_SECONDS = 1.0  # the live rate is that of the last full second


class StreamStats:
    """The totals of a stream. `clock` gives seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = self._rate_since = clock()
        self._rate_from = 0
        self._rate = 0.0
        self.events = 0
        self.not_json = 0
        self.levels: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self._ids: dict[tuple[str, str], Intervals] = {}

    def add(self, event: EventView | None, wanted: bool = True) -> None:
        """Add one line (None: not a JSON object). Its record id counts even if the filter excludes it."""
        if event is not None and event.record_id > 0:
            self._count_id(event)
        if not wanted:
            return
        self.events += 1
        if event is None:
            self.not_json += 1
            return
        self.levels[event.level or "-"] += 1
        self.sources[event.source or "-"] += 1

    def missing(self) -> int:
        """The number of record ids that are missing between the first and the last one of each sequence."""
        return sum(
            ids.last - ids.first + 1 - ids.count()
            for ids in list(self._ids.values())  # a reader thread adds to it
        )

    def rate(self) -> float:
        """Events per second, now."""
        now = self._clock()
        if now - self._rate_since >= _RATE_SECONDS:
            self._rate = (self.events - self._rate_from) / (now - self._rate_since)
            self._rate_since, self._rate_from = now, self.events
        return self._rate

    def seconds(self) -> float:
        return self._clock() - self._started

    def as_json(self) -> dict[str, Any]:
        return {
            "events": self.events,
            "seconds": round(self.seconds(), 3),
            "not_json": self.not_json,
            "missing_record_ids": self.missing(),
            "levels": dict(self.levels),
            "sources": dict(self.sources),
        }

    def _count_id(self, event: EventView) -> None:
        key = (event.computer, event.source.lower())
        ids = self._ids.get(key)
        if ids is None:
            self._ids[key] = Intervals([(event.record_id, event.record_id)])
        else:
            ids.add(event.record_id)


def stats_view(stats: StreamStats, *, live: bool) -> RenderableType:
    """Two small tables and a line above them."""
    seconds = stats.seconds()
    rate = stats.rate() if live else stats.events / seconds if seconds else 0.0
    head = f"{stats.events:,} events in {seconds:,.1f} s, {rate:,.0f}/s {'now' if live else 'on average'}"
    missing = stats.missing()
    gaps = Text(f"{missing:,} record ids missing", style="bold red" if missing else "green")
    parts: list[RenderableType] = [Text(head, style="bold"), gaps]
    if stats.not_json:
        parts.append(Text(f"{stats.not_json:,} lines are not JSON", style="yellow"))
    totals = (_totals("level", stats.levels), _totals("source", stats.sources))
    return Group(*parts, *totals)


def _totals(name: str, counts: Counter[str]) -> Table:
    total = sum(counts.values())
    table = Table(box=None, pad_edge=False)
    table.add_column(name, min_width=12)
    table.add_column("events", justify="right", min_width=10)
    table.add_column("share", justify="right")
    for value, count in counts.most_common():
        table.add_row(Text(value), f"{count:,}", f"{100 * count / total:.1f} %")
    return table
