"""Makes docs/PERFORMANCE.md: the figures as tables in the text of performance.template.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

from bench.plots import file_name
from bench.results import Record, StoredFigures
from bench.table import cells, number

_TEMPLATE = Path(__file__).with_name("performance.template.md")


def render(stored: StoredFigures, parts: Sequence[str] = ()) -> str:
    """The page; each text in `parts` is about one tool: which changes were tried, and why."""
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        machine=", ".join(f"{name} {value}" for name, value in stored.machine.items()),
        sections="".join(_section(record) for record in stored.records),
        parts="\n\n".join(part.strip() for part in parts),
    )


def page(stored: StoredFigures, docs: Path) -> str:
    """The page with all that stands beside it in the folder `docs`."""
    return render(
        stored, [part.read_text(encoding="utf-8") for part in sorted(docs.glob("PERFORMANCE.d/*.md"))]
    )


def _section(record: Record) -> str:
    lines = ["", f"## {record.title}", ""]
    if record.note:
        lines += [record.note, ""]
    rows = {row.case: (number(row.value, row.low, row.high), *cells(row)) for row in record.measurements}
    shown = [column for column, texts in enumerate(zip(*rows.values(), strict=True)) if set(texts) != {"–"}]
    heads = (record.unit, "ratio", "low–high", "CPU s per million", "peak MiB")
    lines += [_row("", [heads[column] for column in shown]), "|---|" + "--:|" * len(shown)]
    lines += [_row(case, [texts[column] for column in shown]) for case, texts in rows.items()]
    lines += [_row(name, [f"not measured: {why}"]) for name, why in record.absent.items()]
    if record.axis:
        lines += ["", f"![{record.title}](plots/{file_name(record)}.svg)"]
    rounds = max((row.runs for row in record.measurements), default=0)
    lines += [
        "",
        f"`make bench ONLY={record.name.replace(' ', '-')}`, {record.date}, {_runs(rounds)}{_speed(record)}.",
    ]
    return "\n".join(lines) + "\n"


def _speed(record: Record) -> str:
    return f"; speed of Python {record.python_speed:g}" if record.python_speed else ""


def _runs(rounds: int) -> str:
    return "one run" if rounds == 1 else f"median of {rounds} runs, with the lowest and the highest"


def _row(case: str, cells: Sequence[str]) -> str:
    texts = (text.replace("|", "&#124;") for text in (case, *cells))  # a bar would end the cell
    return f"| {' | '.join(texts)} |"
