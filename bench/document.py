"""docs/PERFORMANCE.md: the figures as tables in the text of performance.template.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

from bench.book import Book, Record
from bench.plots import file_name
from bench.table import cells, number

_TEMPLATE = Path(__file__).with_name("performance.template.md")


def render(book: Book, parts: Sequence[str] = ()) -> str:
    """`parts` are the sections that the makers of a tool have written about it: what was tried, and why."""
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        machine=", ".join(f"{name} {value}" for name, value in book.machine.items()),
        sections="".join(_section(record) for record in book.records),
        parts="\n\n".join(part.strip() for part in parts),
    )


def _section(record: Record) -> str:
    lines = ["", f"## {record.title}", ""]
    if record.note:
        lines += [record.note, ""]
    lines += [
        f"| | {record.unit} | ratio | low–high | CPU s per million | peak MiB |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in record.measurements:
        lines.append(f"| {_cell(row.case)} | {number(row.value)} | " + " | ".join(cells(row)) + " |")
    for name, why in record.absent.items():
        lines.append(f"| {_cell(name)} | – | {why} | | | |")
    if record.axis:
        lines += ["", f"![{record.title}](plots/{file_name(record)}.svg)"]
    rounds = max((row.runs for row in record.measurements), default=0)
    lines += ["", f"`make bench ONLY={record.name.replace(' ', '-')}`, {record.date}, {rounds} rounds."]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A bar would end the cell of the table."""
    return text.replace("|", "&#124;")
