"""The verdict as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from consumer.verify.audit.findings import Findings, Kind, merged
from consumer.verify.audit.latency import Latency

Verdict = Literal["ok", "incomplete", "FAILED"]
EXIT_CODES: dict[Verdict, int] = {"ok": 0, "FAILED": 1, "incomplete": 3}


@dataclass(frozen=True)
class Rules:
    """What makes an audit fail, besides lost, corrupt and invented events.

    `complete`: the run is over, so events that were not seen are lost. `allow_gaps`: missing ids are no
    finding, for logs that were filtered. `run`: only this run counts (its number, or the beginning of its log
    id).
    """

    exactly_once: bool = False
    complete: bool = False
    ordered: bool = True
    allow_gaps: bool = False
    run: str = ""

    def fatal(self) -> tuple[Kind, ...]:
        kinds: list[Kind] = ["lost", "corrupt", "invented"]
        kinds += ["duplicated"] if self.exactly_once else []
        kinds += ["reordered"] if self.ordered else []
        return tuple(kinds)


@dataclass(frozen=True)
class RunFindings:
    """The findings of one run. `expected`: None if unknown; `gaps`: missing ids between others.

    `at_end`: how many of the lost and unseen events have no later event in their sequence.
    """

    name: str
    findings: Findings
    distinct: int
    expected: int | None = None
    gaps: int = 0
    at_end: int = 0
    begin: str = ""
    end: str = ""


@dataclass(frozen=True)
class Unread:
    """Offsets of one partition after the last stable one, which an open transaction makes unreadable."""

    topic: str
    partition: int
    offset: int
    count: int
    transaction: str = ""


@dataclass(frozen=True)
class Report:
    """The result of an audit.

    `reference` completes "compared with"; `notes` are sentences; `append_seconds` is 0 if unknown. `apart`:
    findings about records that belong to no run.
    """

    reference: str
    records: int
    apart: Findings
    runs: tuple[RunFindings, ...]
    rules: Rules
    latency: Latency | None = None
    append_seconds: float = 0.0
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()
    findings: Findings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "findings", merged((self.apart, *(run.findings for run in self.runs))))

    @property
    def distinct(self) -> int:
        return sum(run.distinct for run in self.runs)

    @property
    def verdict(self) -> Verdict:
        """The verdict. An audit that has no records, or nothing to compare them with, is not a success."""
        if not self.records:
            return "FAILED"
        verdict = self._verdict(self.findings)
        return "incomplete" if verdict == "ok" and not self.distinct else verdict

    def verdict_of(self, run: RunFindings) -> Verdict:
        """The verdict about one run alone."""
        return self._verdict(run.findings)

    def _verdict(self, findings: Findings) -> Verdict:
        if any(findings.count(kind) for kind in self.rules.fatal()):
            return "FAILED"
        return "incomplete" if findings.count("unseen") or self.unread else "ok"

    def as_json(self) -> dict[str, Any]:
        latency = self.latency
        return {
            "records": self.records,
            "distinct": self.distinct,
            **_counts(self.findings),
            "missing_at_end": sum(run.at_end for run in self.runs),
            "unread": sum(each.count for each in self.unread),
            "transactions": [each.transaction for each in self.unread if each.transaction],
            "latency_ms": {
                "p50": latency.p50 if latency else None,
                "p99": latency.p99 if latency else None,
                "max": latency.max if latency else None,
            },
            "runs": [
                {
                    "run": run.name,
                    "expected": run.expected,
                    "distinct": run.distinct,
                    **_counts(run.findings),
                    "verdict": self.verdict_of(run),
                }
                for run in self.runs
            ],
            "notes": list(self.notes),
            "verdict": self.verdict,
            "ok": self.verdict == "ok",
        }


def _counts(findings: Findings) -> dict[str, int]:
    return {kind.replace(" ", "_"): findings.count(kind) for kind in get_args(Kind)}
