"""From what was read and what was expected to the verdict. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from consumer.audit import Audit
from consumer.expected import Expected, Key
from consumer.findings import Finding, Findings, Kind, event_name
from consumer.intervals import Intervals
from consumer.latency import Latency
from consumer.sequence import Sequence

_NO_IDS = Intervals()


@dataclass(frozen=True)
class Rules:
    """What makes an audit fail besides lost, corrupt and invented events."""

    exactly_once: bool = False
    complete: bool = False

    def fatal(self) -> tuple[Kind, ...]:
        kinds: list[Kind] = ["lost", "corrupt", "invented"]
        kinds += ["duplicated"] if self.exactly_once else []
        kinds += ["unseen"] if self.complete else []
        return tuple(kinds)


@dataclass
class Rejected:
    """The rejected topic: how many records by reason, and which events can still be told."""

    reasons: Counter[str] = field(default_factory=Counter)
    ids: dict[Key, Intervals] = field(default_factory=dict)

    def add(self, reason: str, key: Key | None, record_id: int) -> None:
        self.reasons[reason] += 1
        if key is not None:
            self.ids.setdefault(key, Intervals()).add(record_id)


@dataclass(frozen=True)
class Report:
    """The verdict. `judge` says what was compared with; `notes` are sentences for people."""

    judge: str
    records: int
    distinct: int
    findings: Findings
    latency: Latency | None
    append_seconds: float
    fatal: tuple[Kind, ...]
    notes: tuple[str, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing fatal was found; an audit of nothing is no success."""
        return self.records > 0 and not any(self.findings.count(kind) for kind in self.fatal)

    def as_json(self) -> dict[str, Any]:
        count, latency = self.findings.count, self.latency
        return {
            "records": self.records,
            "distinct": self.distinct,
            "lost": count("lost"),
            "unseen": count("unseen"),
            "duplicated": count("duplicated"),
            "reordered": count("reordered"),
            "corrupt": count("corrupt"),
            "invented": count("invented"),
            "rejected": count("rejected"),
            "latency_ms": {
                "p50": latency.p50 if latency else None,
                "p99": latency.p99 if latency else None,
                "max": latency.max if latency else None,
            },
            "ok": self.ok,
        }


def compare_with_itself(audit: Audit, rejected: Rejected) -> None:
    """Every id between the first and the last seen of a sequence must be there."""
    for key, sequence in audit.sequences.items():
        seen = sequence.all_seen()
        expected = Intervals([(seen.first, seen.last)])
        missing = expected.minus(seen).minus(rejected.ids.get(key, _NO_IDS))
        _report(audit, "lost", key, missing, sequence)


def compare(audit: Audit, expected: Expected, rejected: Rejected) -> None:
    """Every expected id must be there, with its bytes, and no other."""
    audit.hashes.evict_all()
    for key in sorted(expected.sequences.keys() | audit.sequences.keys()):
        sequence = audit.sequences.get(key)
        seen = sequence.all_seen() if sequence else _NO_IDS
        wanted = expected.sequences[key].ids if key in expected.sequences else _NO_IDS
        invented = seen.minus(wanted)
        genuine = seen.minus(invented)
        highest = genuine.last if genuine else 0
        missing = wanted.minus(seen).minus(rejected.ids.get(key, _NO_IDS))
        _report(audit, "invented", key, invented, sequence)
        _report(audit, "lost", key, _up_to(missing, highest), sequence)
        _report(audit, "unseen", key, _above(missing, highest), sequence)
        for first, last in expected.sequences[key].damaged(seen) if key in expected.sequences else ():
            detail = "the bytes of these events are not those of the ledger"
            audit.findings.add("corrupt", Finding(event_name(*key, first, last), None, detail))


def conclude(
    audit: Audit, rejected: Rejected, judge: str, rules: Rules, notes: tuple[str, ...] = ()
) -> Report:
    """Put the report together."""
    findings = audit.findings
    for reason, count in rejected.reasons.items():
        findings.add("rejected", Finding("", None, f"{reason}: {count}"), count)
    return Report(
        judge=judge,
        records=audit.records,
        distinct=sum(sequence.all_seen().count() for sequence in audit.sequences.values()),
        findings=findings,
        latency=audit.times.summary(),
        append_seconds=audit.times.seconds(),
        fatal=rules.fatal(),
        notes=notes,
        reasons=dict(rejected.reasons),
    )


def _report(audit: Audit, kind: Kind, key: Key, ids: Intervals, sequence: Sequence | None) -> None:
    for first, last in ids:
        revealing = first if kind == "invented" else last + 1
        place = sequence.places.get(revealing) if sequence else None
        detail = "found missing here" if place and kind == "lost" else ""
        audit.findings.add(kind, Finding(event_name(*key, first, last), place, detail), last - first + 1)


def _up_to(ids: Intervals, highest: int) -> Intervals:
    return Intervals((first, min(last, highest)) for first, last in ids)


def _above(ids: Intervals, highest: int) -> Intervals:
    return Intervals((max(first, highest + 1), last) for first, last in ids)
