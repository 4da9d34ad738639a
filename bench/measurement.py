"""What a benchmark yields: a value with its unit, and how much processor and memory it took. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One run. `value` in the unit of its case; `cpu_seconds` and `peak_mib` of the processes under test."""

    value: float
    events: int = 0
    cpu_seconds: float | None = None
    peak_mib: float | None = None


@dataclass(frozen=True)
class Measurement:
    """The median of the runs of one case.

    `ratio` compares with the case that the section names as its yardstick. `command` repeats the figure.
    """

    section: str
    case: str
    value: float
    unit: str
    runs: int
    low: float
    high: float
    ratio: float | None = None
    cpu_seconds_per_million: float | None = None
    peak_mib: float | None = None
    x: float | None = None  # where the case stands on the section's axis: clients, bytes, events/s

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def summarise(
    section: str, case: str, unit: str, samples: list[Sample], yardstick: float | None, x: float | None
) -> Measurement:
    """Median, spread and ratio of the runs of one case."""
    values = sorted(sample.value for sample in samples)
    middle = median(values)
    cpu = [s.cpu_seconds / s.events * 1e6 for s in samples if s.cpu_seconds is not None and s.events]
    peaks = [s.peak_mib for s in samples if s.peak_mib is not None]
    return Measurement(
        section=section,
        case=case,
        value=middle,
        unit=unit,
        runs=len(values),
        low=values[0],
        high=values[-1],
        ratio=middle / yardstick if yardstick else None,
        cpu_seconds_per_million=median(cpu) if cpu else None,
        peak_mib=max(peaks) if peaks else None,
        x=x,
    )
