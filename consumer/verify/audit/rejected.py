"""The rejected topic: how many records by reason. Pure."""

from __future__ import annotations

from collections import Counter

from consumer.verify.audit.findings import Finding, Findings, shown

REASON_HEADER = "reason"
ENDPOINT_HEADER = "endpoint"


class Rejected:
    """Counts by reason."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def add(self, headers: list[tuple[str, bytes]] | None) -> None:
        """One record by its Kafka headers."""
        reason = dict(headers or ()).get(REASON_HEADER)
        self.reasons[shown(reason) if reason else "no reason given"] += 1

    def report(self, findings: Findings) -> None:
        for reason, count in self.reasons.most_common():
            findings.add("rejected", Finding("", None, f"{reason}: {count:,}"), count)
