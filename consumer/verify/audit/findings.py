"""The findings of an audit: their counts, and the first few examples of each kind. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Literal

from consumer.verify.audit.records import Place

Kind = Literal[
    "lost", "unseen", "duplicated", "reordered", "corrupt", "invented",
    "other run", "unknown shape", "rejected",
]  # fmt: skip
EXAMPLES_KEPT = 5
SHOWN = 80  # bytes of a line in a message


@dataclass(frozen=True)
class Example:
    """Which event (empty if unknown), where it is, and what is wrong with it."""

    event: str
    place: Place | None = None
    detail: str = ""

    def __str__(self) -> str:
        parts = [self.event, str(self.place) if self.place else "", self.detail]
        return ", ".join(part for part in parts if part)


@dataclass
class Findings:
    """Counts of every kind.

    Only the first few examples are stored, so memory does not grow with the damage.
    """

    counts: dict[Kind, int] = field(default_factory=dict)
    examples: dict[Kind, list[Example]] = field(default_factory=dict)

    def add(self, kind: Kind, example: Example, count: int = 1) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES_KEPT:
            kept.append(example)

    def count(self, kind: Kind) -> int:
        return self.counts.get(kind, 0)


def merged(several: Iterable[Findings]) -> Findings:
    """The sums of the counts, and the first examples of all."""
    total = Findings()
    examples: dict[Kind, list[Example]] = {}
    for findings in several:
        for kind, count in findings.counts.items():
            total.counts[kind] = total.counts.get(kind, 0) + count
            examples.setdefault(kind, []).extend(findings.examples.get(kind, ()))
    total.examples = {kind: nsmallest(EXAMPLES_KEPT, found, _by_place) for kind, found in examples.items()}
    return total


def _by_place(example: Example) -> tuple[bool, int, int]:
    place = example.place
    return (place is None, place.partition or 0 if place else 0, place.offset if place else 0)


def event_name(computer: bytes, source: bytes, first: int, last: int | None = None) -> str:
    """The name of an event: `WS-001.corp.example/Security 7`, or `… 7-9` for several."""
    ids = str(first) if last in (None, first) else f"{first}-{last}"
    return f"{shown(computer)}/{shown(source)} {ids}" if computer else f"{shown(source)} event {ids}"


def shown(raw: bytes) -> str:
    """Bytes of unknown origin, as safe text for a message."""
    return raw[:SHOWN].decode("utf-8", "backslashreplace")
