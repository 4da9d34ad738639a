"""The rejected topic: how many records by reason, and which events can still be told. Pure."""

from __future__ import annotations

from collections import Counter

from consumer.events.identity import identify_parsed
from consumer.verify.audit.findings import Finding, Findings, shown
from consumer.verify.audit.intervals import Intervals

REASON_HEADER = "reason"


class Rejected:
    """`ids`: rejected events by (computer, source); they are accounted for, so they are not lost."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.ids: dict[tuple[bytes, bytes], Intervals] = {}

    def add(self, value: bytes, headers: list[tuple[str, bytes]] | None) -> None:
        """One record: the raw line and its Kafka headers."""
        reason = dict(headers or ()).get(REASON_HEADER)
        self.reasons[shown(reason) if reason else "no reason given"] += 1
        identity = identify_parsed(value)
        if identity is not None:
            computer, source, record_id, _ = identity
            self.ids.setdefault((computer, source), Intervals()).add(record_id)

    def report(self, findings: Findings) -> None:
        for reason, count in self.reasons.most_common():
            findings.add("rejected", Finding("", None, f"{reason}: {count:,}"), count)
