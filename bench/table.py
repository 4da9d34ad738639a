"""The figures as one table for a terminal. Pure: returns a rich renderable."""

from __future__ import annotations

from rich.table import Table

from bench.book import Book
from bench.measurement import Measurement


def as_table(book: Book, only: set[str]) -> Table:
    """The sections named in `only`."""
    table = Table(
        "", "median", "unit", "ratio", "low–high", "CPU s / million", "peak MiB", box=None, pad_edge=False
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for record in (record for record in book.records if record.name in only):
        table.add_row(f"[bold]{record.title}[/]")
        for row in record.measurements:
            table.add_row(f"  {row.case}", number(row.value), row.unit, *cells(row))
        for name, why in record.absent.items():
            table.add_row(f"  {name}", "–", why, style="dim")
    return table


def cells(row: Measurement) -> tuple[str, str, str, str]:
    """Ratio, spread, CPU and memory as text; – for what was not measured."""
    spread = f"{number(row.low)}–{number(row.high)}" if row.runs > 1 else "–"
    return (
        f"{row.ratio:.2f}" if row.ratio is not None else "–",
        spread,
        f"{row.cpu_seconds_per_million:.1f}" if row.cpu_seconds_per_million is not None else "–",
        f"{row.peak_mib:,.0f}" if row.peak_mib is not None else "–",
    )


def number(value: float) -> str:
    """Three digits are honest on a machine like this."""
    if value >= 1000:
        digits = len(str(int(value))) - 3
        return f"{round(value / 10**digits) * 10**digits:,}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
