"""The verdict as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consumer.verify.audit.findings import Findings, Kind
from consumer.verify.audit.latency import Latency


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


@dataclass(frozen=True)
class Report:
    """`judge` completes "compared with"; `notes` are sentences; `append_seconds` is 0 when not known."""

    judge: str
    records: int
    distinct: int
    findings: Findings
    latency: Latency | None
    append_seconds: float
    fatal: tuple[Kind, ...]
    notes: tuple[str, ...] = ()

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
