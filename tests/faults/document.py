"""Makes docs/RELIABILITY.md: the results as tables in the text of reliability.template.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from faults.matrix import MATRIX
from faults.modes import MODES, PLAIN_RESUME_BYTES
from faults.producer_faults import PRODUCER_FAULTS, ProducerFault
from faults.results import Result, StoredResults
from faults.runner import RATE
from faults.topic_faults import TOPIC_FAULTS, TopicFault

_TEMPLATE = Path(__file__).with_name("reliability.template.md")


def render(stored: StoredResults) -> str:
    by_key = {(result.row, result.mode): result for result in stored.results}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        rate=f"{RATE:,}",
        machine=", ".join(f"{name} {value}" for name, value in stored.machine.items()),
        plain_resume=f"{PLAIN_RESUME_BYTES // 2**20} MiB",
        matrix=_matrix(by_key),
        producer=_rows(PRODUCER_FAULTS, "producer", by_key),
        topic=_rows(TOPIC_FAULTS, "topic", by_key),
        proofs=_proofs(stored.results),
    )


def _matrix(by_key: dict[tuple[str, str], Result]) -> str:
    lines = [
        "",
        "| Fault | " + " | ".join(mode.title for mode in MODES) + " |",
        "|---" * (len(MODES) + 1) + "|",
    ]
    for fault in MATRIX:
        cells = [by_key.get((fault.name, mode.name)) for mode in MODES]
        if any(cells):
            lines.append(f"| {fault.title} | " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _cell(result: Result | None) -> str:
    if result is None:
        return "–"
    if not result.figures:
        return f"**failed**: {result.problem}"
    figures = result.figures
    seconds = figures["recovery_seconds"]
    recovery = f"{seconds:.1f} s" if seconds is not None else "–"
    rejected = f" · {figures['rejected']:,} rejected" if figures["rejected"] else ""
    bound = f" (bound {figures['bound']:,})" if "bound" in figures else ""
    text = f"{figures['lost']:,} lost{bound} · {figures['duplicated']:,} dup{rejected} · {recovery}"
    return text if result.ok else f"**{text}: {result.problem}**"


def _rows(
    rows: Sequence[ProducerFault | TopicFault], mode: str, by_key: dict[tuple[str, str], Result]
) -> str:
    lines = ["| Fault | What was seen | Figures |", "|---|---|---|"]
    for row in rows:
        result = by_key.get((row.name, mode))
        if result:
            seen = result.proof if result.ok else f"**{result.problem}**"
            lines.append(f"| {row.title} | {_plain(seen)} | {_figures(result)} |")
    return "\n".join(lines)


def _figures(result: Result) -> str:
    return ", ".join(f"{name} {value}" for name, value in result.figures.items()) or "–"


def _proofs(results: Iterable[Result]) -> str:
    """One line for each row: its date, its seed, and the proof that the fault happened."""
    titles = {fault.name: fault.title for fault in MATRIX}
    lines = [
        "| Row | Date | Seed | Events per mode, at least | Proof |",
        "|---|---|---|---|---|",
    ]
    order = list(titles)
    rows: dict[str, list[Result]] = {}
    for result in results:
        if result.row in titles:
            rows.setdefault(result.row, []).append(result)
    for name in sorted(rows, key=order.index):
        newest = max(rows[name], key=lambda result: result.date)
        least = min(result.figures.get("produced", 0) for result in rows[name])
        lines.append(f"| `{name}` | {newest.date} | {newest.seed} | {least:,} | {_plain(newest.proof)} |")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
