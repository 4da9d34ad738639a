"""The audit as a table for people. Pure: returns rich renderables."""

from __future__ import annotations

from typing import get_args

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumer.verify.audit.findings import EXAMPLES_KEPT, Kind
from consumer.verify.audit.report import Report

_MEANING: dict[Kind, str] = {
    "lost": "below the highest id seen of its sequence, and absent",
    "unseen": "expected after the highest id seen",
    "duplicated": "copies beyond the first",
    "reordered": "first copy came after a higher id",
    "corrupt": "bytes differ, or not an event",
    "invented": "never produced",
    "rejected": "sorted out by the bridge",
}


def report_view(report: Report) -> RenderableType:
    """Counts with examples, latency and rate, and the verdict as the last line."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_row("records", f"{report.records:,}", "")
    table.add_row("distinct", f"{report.distinct:,}", "")
    for kind in get_args(Kind):
        table.add_row(kind, _count(report, kind), Text(_MEANING[kind], style="dim"))
        for finding in report.findings.examples.get(kind, ()):
            table.add_row("", "", Text(f"  {finding}"))
        if report.findings.count(kind) > EXAMPLES_KEPT and kind != "rejected":
            table.add_row("", "", "  …")
    table.add_row("latency", "", _latency(report))
    table.add_row("rate", "", _rate(report))
    notes = [Text(f"note: {note}", style="yellow") for note in report.notes]
    return Group(table, *notes, verdict_line(report))


def finding_lines(report: Report) -> list[str]:
    """The examples alone, one a line."""
    return [
        f"{kind}: {finding}" for kind in get_args(Kind) for finding in report.findings.examples.get(kind, ())
    ]


def verdict_line(report: Report) -> Text:
    if report.ok:
        return Text(f"ok: compared with {report.judge}", style="bold green")
    if not report.records:
        return Text("FAILED: there is nothing to audit, not one record was read", style="bold red")
    return Text(f"FAILED: compared with {report.judge}", style="bold red")


def _count(report: Report, kind: Kind) -> Text:
    count = report.findings.count(kind)
    bad = kind in report.fatal and count
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
    return f"{rate:,.0f} records/s, first to last append {report.append_seconds:,.1f} s"
