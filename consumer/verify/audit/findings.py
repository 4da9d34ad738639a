"""What an audit found, with the first few examples of each kind. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["lost", "unseen", "duplicated", "reordered", "corrupt", "invented", "rejected"]
EXAMPLES_KEPT = 5


class Place(NamedTuple):
    """Where a record lies: topic, partition and offset; or file and line, then partition is None."""

    origin: str
    partition: int | None
    offset: int

    def __str__(self) -> str:
        if self.partition is None:
            return f"{self.origin} line {self.offset}"
        return f"{self.origin} partition {self.partition} offset {self.offset}"


@dataclass(frozen=True)
class Finding:
    """One example: which event (empty when it cannot be told), where, and what about it."""

    event: str
    place: Place | None = None
    detail: str = ""

    def __str__(self) -> str:
        parts = [self.event, str(self.place) if self.place else "", self.detail]
        return ", ".join(part for part in parts if part)


@dataclass
class Findings:
    """Counts of every kind; only the first few examples are kept, so memory does not grow with the damage."""

    counts: dict[Kind, int] = field(default_factory=dict)
    examples: dict[Kind, list[Finding]] = field(default_factory=dict)

    def add(self, kind: Kind, finding: Finding, count: int = 1) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count
        self.name(kind, finding)

    def name(self, kind: Kind, finding: Finding) -> None:
        """Keep an example of what is counted already."""
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES_KEPT:
            kept.append(finding)

    def merge(self, other: Findings) -> None:
        for kind, count in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
            for finding in other.examples.get(kind, ()):
                self.name(kind, finding)

    def count(self, kind: Kind) -> int:
        return self.counts.get(kind, 0)

    def forget_examples(self, kind: Kind) -> None:
        self.examples.pop(kind, None)


def event_name(computer: bytes, source: bytes, first: int, last: int | None = None) -> str:
    """`WS-001.corp.example/Security 7`, or `… 7-9` for several."""
    ids = str(first) if last in (None, first) else f"{first}-{last}"
    return f"{shown(computer)}/{shown(source)} {ids}"


def shown(raw: bytes) -> str:
    """Bytes of unknown origin as text for a message."""
    return raw[:80].decode("utf-8", "backslashreplace")
