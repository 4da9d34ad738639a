"""The audit as a table for people. Pure: returns rich renderables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumer.verify.audit.findings import EXAMPLES_KEPT, Kind
from consumer.verify.audit.report import Report, RunFindings, Verdict

_MEANING: dict[Kind, str] = {
    "lost": "expected and absent",
    "unseen": "expected, and may still come",
    "duplicated": "copies beyond the first",
    "reordered": "came after a later event of its computer",
    "corrupt": "bytes differ, not an event, or a wrong key",
    "invented": "never produced",
    "other run": "older than the runs it is compared with",
    "unknown shape": "valid events without the ids of win-event-producer: not judged",
    "rejected": "rejected by the bridge",
}
_ONLY_IF_ANY: tuple[Kind, ...] = ("other run", "unknown shape")
_STYLE: dict[Verdict, str] = {"ok": "bold green", "incomplete": "bold yellow", "FAILED": "bold red"}


def report_view(report: Report) -> RenderableType:
    """Counts with examples, latency and rate, the runs if there are several, and the verdict last."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_row("records", f"{report.records:,}", "")
    table.add_row("distinct", f"{report.distinct:,}", "")
    for kind in get_args(Kind):
        count = report.findings.count(kind)
        if kind in _ONLY_IF_ANY and not count:
            continue
        table.add_row(kind, _count(report, kind), Text(_MEANING[kind], style="dim"))
        for example in report.findings.examples.get(kind, ()):
            table.add_row("", "", Text(f"  {example}"))
        if count > EXAMPLES_KEPT and kind != "rejected":
            table.add_row("", "", "  …")
    for sentence in _unread(report):
        table.add_row("unread", "", Text(sentence, style="yellow"))
    table.add_row("latency", "", _latency(report))
    table.add_row("rate", "", _rate(report))
    notes = [Text(f"note: {note}", style="yellow") for note in report.notes]
    runs = [_runs(report)] if len(report.runs) > 1 else []
    return Group(table, *runs, *notes, verdict_line(report))


def finding_lines(report: Report) -> list[str]:
    """Only the examples, one per line, and the offsets that could not be read."""
    found = [
        f"{kind}: {example}" for kind in get_args(Kind) for example in report.findings.examples.get(kind, ())
    ]
    return found + [f"unread: {sentence}" for sentence in _unread(report)]


def verdict_line(report: Report) -> Text:
    """The verdict: `ok: compared with …`, or what is wrong in one line."""
    verdict = report.verdict
    text = f"{verdict}: compared with {report.reference}"
    if not report.records:
        text = "FAILED: there is nothing to audit, not one record was read"
    elif verdict == "FAILED":
        bad = [
            f"{report.findings.count(kind):,} {kind}"
            for kind in report.rules.fatal()
            if report.findings.count(kind)
        ]
        text = f"FAILED: {', '.join(bad)}; compared with {report.reference}"
    elif verdict == "incomplete":
        text = f"incomplete: {', '.join(_open_questions(report))}; compared with {report.reference}"
    return Text(text, style=_STYLE[verdict])


def _open_questions(report: Report) -> Iterator[str]:
    if unseen := report.findings.count("unseen"):
        yield f"{unseen:,} expected events are unseen"
    if unread := sum(each.count for each in report.unread):
        yield f"{unread:,} offsets behind the last stable one could not be read"
    if not report.distinct:
        yield "no event with a record id was found"


def _unread(report: Report) -> Iterator[str]:
    for each in report.unread:
        whose = f": {each.transaction}" if each.transaction else ""
        where = f"of {each.topic} partition {each.partition} from offset {each.offset} on"
        yield f"{each.count:,} offsets {where}: open transaction{whose}"


def _runs(report: Report) -> Table:
    table = Table(
        box=None, pad_edge=False, title=f"{len(report.runs)} runs of the producer", title_justify="left"
    )
    for name in ("run", "begin", "end"):
        table.add_column(name)
    kinds: tuple[Kind, ...] = ("lost", "unseen", "duplicated", "reordered", "corrupt")
    for name in ("events", *kinds):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for run in report.runs:
        verdict = report.verdict_of(run)
        counts = [f"{run.findings.count(kind):,}" for kind in kinds]
        table.add_row(run.name, run.begin, run.end, _of(run), *counts, Text(verdict, style=_STYLE[verdict]))
    return table


def _of(run: RunFindings) -> str:
    return f"{run.distinct:,}" if run.expected is None else f"{run.distinct:,} of {run.expected:,}"


def _count(report: Report, kind: Kind) -> Text:
    count = report.findings.count(kind)
    bad = kind in report.rules.fatal() and count
    return Text(f"{count:,}", style="bold red" if bad else "")


def _latency(report: Report) -> str:
    latency = report.latency
    if latency is None:
        return "not measured: no append time (a file, or a topic that keeps event time)"
    return f"p50 {latency.p50:,}, p99 {latency.p99:,}, max {latency.max:,} ms from event time to Kafka append"


def _rate(report: Report) -> str:
    if not report.append_seconds:
        return "not measured"
    rate = report.records / report.append_seconds
    return f"{rate:,.0f} records/s, {report.append_seconds:,.1f} s from the first to the last timestamp"
