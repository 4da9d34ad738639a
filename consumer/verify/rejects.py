"""A report of rejected lines: counts by reason and endpoint, and the newest lines for each reason."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumer.verify.audit.records import RejectedLine
from consumer.verify.audit.rejected import NO_REASON
from consumer.verify.expected.references import Progress
from consumer.verify.records.kafka_records import Topic, TopicReader
from toolkit.terminal_text import printable

_FIRST_BYTES = 120


@dataclass
class Rejects:
    """Counts by (reason, endpoint), and the newest `limit` lines for each reason."""

    topic: str
    limit: int
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    newest: dict[str, deque[RejectedLine]] = field(default_factory=dict)

    def add(self, line: RejectedLine) -> None:
        reason = line.reason or NO_REASON
        self.counts[reason, line.endpoint] += 1
        self.newest.setdefault(reason, deque(maxlen=self.limit)).append(line)

    @property
    def total(self) -> int:
        return self.counts.total()

    def by_reason(self) -> list[tuple[str, int]]:
        reasons: Counter[str] = Counter()
        for (reason, _), count in self.counts.items():
            reasons[reason] += count
        return reasons.most_common()

    def endpoints(self, reason: str) -> list[tuple[str, int]]:
        found = Counter({endpoint: n for (why, endpoint), n in self.counts.items() if why == reason})
        return found.most_common()

    def as_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "rejected": self.total,
            "reasons": [
                {
                    "reason": reason,
                    "count": count,
                    "endpoints": dict(self.endpoints(reason)),
                    "newest": [_line_as_json(line) for line in self.newest[reason]],
                }
                for reason, count in self.by_reason()
            ],
        }


def read_rejects(topic: Topic, limit: int, since_ms: int | None, progress: Progress) -> Rejects:
    """Read all rejected lines of the topic. Raises AuditError."""
    rejects = Rejects(topic.name, limit)
    with closing(TopicReader(topic)) as reader:
        for lines in reader.rejected():
            for line in lines:
                if since_ms is None or line.timestamp >= since_ms:
                    rejects.add(line)
            progress(f"reading {topic.name}", reader.done, reader.total)
    return rejects


def rejects_view(rejects: Rejects) -> RenderableType:
    """A table of counts, then the newest lines for each reason: time, place in the topic, first bytes."""
    if not rejects.total:
        return Text(f"{rejects.topic}: nothing was rejected", style="bold green")
    return Group(_counts(rejects), *_newest(rejects))


def _counts(rejects: Rejects) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("reason", style="bold")
    table.add_column("lines", justify="right")
    table.add_column("endpoints")
    for reason, count in rejects.by_reason():
        endpoints = ", ".join(
            f"{printable(endpoint) or '?'} ({n:,})" for endpoint, n in rejects.endpoints(reason)
        )
        table.add_row(Text(printable(reason)), f"{count:,}", Text(endpoints))
    table.add_row("in all", f"{rejects.total:,}", "")
    return table


def _newest(rejects: Rejects) -> Iterator[Text]:
    for reason, _ in rejects.by_reason():
        yield Text(f"\nthe newest of {printable(reason)}", style="bold")
        for line in rejects.newest[reason]:
            yield Text(f"{_time(line.timestamp)}  {line.partition}/{line.offset}  {_first(line.value)}")


def _first(value: bytes) -> str:
    shown = printable(value[:_FIRST_BYTES].decode("utf-8", "backslashreplace"))
    return f"{shown}… ({len(value):,} bytes)" if len(value) > _FIRST_BYTES else shown


def _time(milliseconds: int) -> str:
    if milliseconds <= 0:
        return "-"
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _line_as_json(line: RejectedLine) -> dict[str, Any]:
    first = line.value[:_FIRST_BYTES].decode("utf-8", "backslashreplace")
    where = {"partition": line.partition, "offset": line.offset, "timestamp": line.timestamp}
    return where | {"endpoint": line.endpoint, "bytes": len(line.value), "first": first}
