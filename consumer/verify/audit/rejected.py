"""The rejected topic: how many records by reason. Pure."""

from __future__ import annotations

from collections import Counter

from consumer.verify.audit.findings import Example, Findings
from consumer.verify.audit.records import RejectedLine

NO_REASON = "no reason given"


class Rejected:
    """Counts by reason."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def add(self, line: RejectedLine) -> None:
        self.reasons[line.reason or NO_REASON] += 1

    def report(self, findings: Findings) -> None:
        for reason, count in self.reasons.most_common():
            findings.add("rejected", Example("", None, f"{reason}: {count:,}"), count)
