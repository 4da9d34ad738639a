"""The result of a benchmark: a value with its unit, and the processor time and memory. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Sample:
    """The result of one run. `value` has the unit of its case; cost is that of the tested processes."""

    value: float
    events: int = 0
    cpu_seconds: float | None = None
    peak_mib: float | None = None


@dataclass(frozen=True)
class Measurement:
    """The median of the runs of one case, with the lowest and the highest of them; the highest peak of all.

    `ratio` compares with the section's yardstick, round by round, because noise in a round affects both
    cases. Figures without a low and a high are from one run.
    """

    section: str
    case: str
    value: float
    unit: str
    runs: int
    low: float
    high: float
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    cpu_seconds_per_million: float | None = None
    cpu_low: float | None = None
    cpu_high: float | None = None
    peak_mib: float | None = None
    x: float | None = None  # the place of the case on the section's axis: clients, bytes, events/s

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def require_rate(done: int, seconds: float, rate: float) -> None:
    """Raises RuntimeError if a sender has not reached nine tenths of the events per second of its case."""
    if done < 0.9 * rate * seconds:
        raise RuntimeError(f"only {done / seconds:,.0f} of {rate:,.0f} events/s were sent")


def summarise(
    section: str, case: str, unit: str, samples: list[Sample], yardstick: list[Sample], x: float | None
) -> Measurement:
    """Median and spread of the runs of one case, and of their ratios to the runs of the yardstick."""
    values = sorted(sample.value for sample in samples)
    ratios = [own.value / base.value for own, base in zip(samples, yardstick, strict=False) if base.value]
    cpu = [s.cpu_seconds / s.events * 1e6 for s in samples if s.cpu_seconds is not None and s.events]
    peaks = [s.peak_mib for s in samples if s.peak_mib is not None]
    return Measurement(
        section=section,
        case=case,
        value=median(values),
        unit=unit,
        runs=len(values),
        low=values[0],
        high=values[-1],
        ratio=median(ratios) if ratios else None,
        ratio_low=min(ratios, default=None),
        ratio_high=max(ratios, default=None),
        cpu_seconds_per_million=median(cpu) if cpu else None,
        cpu_low=min(cpu, default=None),
        cpu_high=max(cpu, default=None),
        peak_mib=max(peaks) if peaks else None,
        x=x,
    )
