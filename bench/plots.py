"""SVG plots of the sections that have an axis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.results import Record, StoredFigures

# Text stays text and ids stay the same between runs, so that a new run only changes the figures.
_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "win-event-bridge", "font.size": 9}


def draw(stored: StoredFigures, folder: Path) -> list[Path]:
    """Draw one file for every section with an axis; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_draw(record, folder / f"{file_name(record)}.svg") for record in stored.records if record.axis]


def file_name(record: Record) -> str:
    return record.name.replace(" ", "-")


def _draw(record: Record, path: Path) -> Path:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for series in _series(record):
            xs, middles, lows, highs = series[1:]
            axes.plot(xs, middles, marker="o", label=series[0])
            axes.fill_between(xs, lows, highs, alpha=0.2)
        if _spans_decades([m.x for m in record.measurements if m.x]):
            axes.set_xscale("log")
        axes.set(xlabel=record.axis, ylabel=record.unit, title=record.title)
        axes.set_ylim(bottom=0)
        if len(_series(record)) > 1:
            axes.legend(frameon=False)
        axes.grid(alpha=0.3)
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path


def _series(record: Record) -> list[tuple[str, list[float], list[float], list[float], list[float]]]:
    """Cases named `series @ x` are one line; all others together are one line."""
    lines: dict[str, list[tuple[float, float, float, float]]] = {}
    for row in record.measurements:
        if row.x is not None:
            name = row.case.partition(" @ ")[0] if " @ " in row.case else record.unit
            lines.setdefault(name, []).append((row.x, row.value, row.low, row.high))
    series = []
    for name, points in lines.items():
        xs, middles, lows, highs = (list(column) for column in zip(*sorted(points), strict=True))
        series.append((name, xs, middles, lows, highs))
    return series


def _spans_decades(values: Sequence[float]) -> bool:
    return bool(values) and max(values) / min(values) >= 50
