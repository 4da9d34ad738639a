"""A status report as one screen, the same for a terminal and for a pipe."""

from __future__ import annotations

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from local_stack.health.jobs import Job
from local_stack.health.report import Report

_GOOD = {"running", "RUNNING", "STABLE"}
_BAD = {"stopped", "FAILED", "FAILING"}


def as_screen(now: Report, before: Report | None = None) -> RenderableType:
    """The screen; the rates are computed from `before`, an earlier report."""
    tables = [_parts(now)]
    if now.producer:
        tables.append(_producer(now))
    if now.topics:
        tables.append(_topics(now, before))
    if now.groups:
        tables.append(_groups(now))
    if now.jobs:
        tables.append(_jobs(now))
    said = [Text(problem, style="red") for problem in now.problems]
    for warned in now.warnings:
        said += [Text(f"! {warned.what}", style="bold red"), Text(f"  → {warned.remedy}")]
    return Lines(*(part for table in tables for part in (table, Text())), *said)


def _table(*columns: str) -> Table:
    """A table; columns whose name starts with # have numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name.lstrip("#"), justify="right" if name.startswith("#") else "left", no_wrap=True)
    return table


def _parts(now: Report) -> Table:
    table = _table("process", "state", "where")
    for part in now.parts:
        table.add_row(part.name, _state(part.state), part.where)
    if not now.parts:
        table.add_row("nothing runs", "", "win-event-stack up")
    return table


def _producer(now: Report) -> Table:
    table = _table("producer", "#events", "#per second", "client", "#lag")
    producer = now.producer
    assert producer is not None  # noqa: S101 - asked before
    first = (producer.where, f"{producer.events:,}", f"{producer.rate:,.0f}")
    rows = [(client.address, f"{client.lag:,}") for client in producer.clients] or [("none", "")]
    for number, row in enumerate(rows):
        table.add_row(*(first if number == 0 else ("", "", "")), *row)
    return table


def _topics(now: Report, before: Report | None) -> Table:
    table = _table("topic", "#partitions", "#records", "#per second", "#newest")
    earlier = {topic.name: topic.written for topic in before.topics} if before else {}
    for topic in now.topics:
        rate = (
            ""
            if topic.name not in earlier or before is None
            else _rate(topic.written - earlier[topic.name], now.at - before.at)
        )
        table.add_row(topic.name, str(topic.partitions), f"{topic.records:,}", rate, _age(topic.newest_age))
    return table


def _groups(now: Report) -> Table:
    table = _table("consumer group", "state", "#members", "#lag")
    for group in now.groups:
        table.add_row(group.name, _state(group.state), str(group.members), f"{group.lag:,}")
    return table


def _jobs(now: Report) -> Table:
    """The table of jobs; a long name continues on the next line, because it identifies the job."""
    table = _table("job", "state", "#for", "#restarts", "#written", "#last checkpoint")
    table.columns[0].no_wrap, table.columns[0].overflow = False, "fold"
    for job in now.jobs:
        row = (_age(job.uptime), str(job.restarts), f"{job.written:,}", _checkpoint(job))
        table.add_row(Text(job.name), _state(job.state), *row)
    return table


def _checkpoint(job: Job) -> str:
    """How long ago the checkpoint was, and how long it took if that is unusual."""
    if job.checkpoint_age is None:
        return "none yet"
    slow = job.checkpoint_duration is not None and job.checkpoint_duration >= 1
    return f"{_age(job.checkpoint_age)} ago" + (f", took {job.checkpoint_duration:.1f} s" if slow else "")


def _state(state: str) -> Text:
    return Text(state, style="green" if state in _GOOD else "red" if state in _BAD else "yellow")


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f}" if seconds > 0 else ""


def _age(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
