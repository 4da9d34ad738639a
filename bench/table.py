"""The figures as one table for a terminal. Pure: returns a rich renderable."""

from __future__ import annotations

import math

from rich.table import Table

from bench.measurement import Measurement
from bench.results import StoredFigures


def as_table(stored: StoredFigures, only: set[str]) -> Table:
    """The sections named in `only`."""
    table = Table(
        "", "median", "unit", "ratio", "low–high", "CPU s / million", "peak MiB", box=None, pad_edge=False
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for record in (record for record in stored.records if record.name in only):
        table.add_row(f"[bold]{record.title}[/]")
        for row in record.measurements:
            table.add_row(f"  {row.case}", number(row.value, row.low, row.high), row.unit, *cells(row))
        for name, why in record.absent.items():
            table.add_row(f"  {name}", "–", why, style="dim")
    return table


def cells(row: Measurement) -> tuple[str, str, str, str]:
    """Ratio, spread, CPU and memory as text; – if not measured."""
    spread = _spread(number(row.value, row.low, row.high), row.low, row.high) if row.runs > 1 else "–"
    return (
        "–" if row.ratio is None else number(row.ratio, row.ratio_low, row.ratio_high, most=2),
        spread,
        _cpu(row),
        f"{row.peak_mib:,.0f}" if row.peak_mib is not None else "–",
    )


def _cpu(row: Measurement) -> str:
    """The processor time with its range. Records of before 2026-11-29 have none: they show two digits."""
    if row.cpu_seconds_per_million is None:
        return "–"
    if row.cpu_low is None or row.cpu_high is None:
        return number(row.cpu_seconds_per_million, most=2)
    median = number(row.cpu_seconds_per_million, row.cpu_low, row.cpu_high)
    return f"{median} ({_spread(median, row.cpu_low, row.cpu_high)})" if row.runs > 1 else median


def _spread(median: str, low: float, high: float) -> str:
    """The range, with no more decimals than the median has."""
    most = len(median.partition(".")[2])
    ends = [
        text if len(text.partition(".")[2]) <= most else f"{end:,.{most}f}"
        for end, text in ((low, number(low)), (high, number(high)))
    ]
    return "–".join(ends)


def number(value: float, low: float | None = None, high: float | None = None, most: int = 3) -> str:
    """The number with at most `most` digits, without digits below a tenth of the range.

    It has more digits only where it would otherwise not lie between `low` and `high`.
    """
    if not value:
        return "0"
    last = math.floor(math.log10(abs(value))) - most + 1
    if low is not None and high is not None and high > low:
        coarse = max(last, min(math.floor(math.log10(high - low)), last + most - 1))
        while coarse > last and not low <= round(value, -coarse) <= high:
            coarse -= 1
        last = coarse
    return f"{round(value, -last):,.{max(-last, 0)}f}"
