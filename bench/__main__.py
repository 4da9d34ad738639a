"""`python -m bench` (make bench) measures, prints a table, stores the figures, writes docs/PERFORMANCE.md."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import click
from rich.console import Console

from bench import document, plots
from bench.analytics import answering, asking, state
from bench.bridge import cluster, latency, post_latency, throughput
from bench.detection import detecting, long_run, streaming
from bench.harness import Section, measure
from bench.machine import machine, python_speed
from bench.measurement import Measurement
from bench.producer import generation, posting, serving
from bench.reading import tail, verify
from bench.results import Record, StoredFigures, load_figures
from bench.table import as_table
from consumer.standard_output import table_console

DOCS = Path(__file__).resolve().parent.parent / "docs"


def _on_a_cluster(quick: bool, shared: cluster.Cluster) -> list[Section]:
    audits = verify.topic_sections(quick, shared)
    questions = [
        *asking.sections(quick, shared),
        answering.section(quick, shared),
        state.section(quick, shared),
    ]
    times = [*latency.sections(quick, shared), *post_latency.sections(quick, shared)]
    return [*throughput.sections(quick, shared), *times, *audits, *questions]


@dataclass(frozen=True)
class Group:
    """Sections that share the resources which `make` opens for them on a stack."""

    names: tuple[str, ...]
    make: Callable[[bool, ExitStack], list[Section]]


GROUPS = {
    "producer": Group(
        (
            "generation",
            "pacing",
            "long-run",
            "live",
            "serving",
            "connected-clients",
            "posting",
            "posting-time",
            "beside-posts",
        ),
        lambda quick, _: [
            *generation.sections(quick),
            *serving.sections(quick),
            *posting.sections(quick),
        ],
    ),
    "reading": Group(
        ("tail", "verify"), lambda quick, _: [*tail.sections(quick), *verify.file_sections(quick)]
    ),
    "detection": Group(
        ("detection-order", "detection", "detection-growth"), lambda quick, _: detecting.sections(quick)
    ),
    "detection-memory": Group(("detection-long-run",), lambda quick, _: long_run.sections(quick)),
    "detection-over-kafka": Group(
        ("detection-stream", "detection-delay"),
        lambda quick, servers: streaming.sections(quick, servers.enter_context(cluster.cluster())),
    ),
    "bridge": Group(
        (
            "comparison",
            "options",
            "headers",
            "event-size",
            "endpoints",
            "partitions",
            "sink-subtasks",
            "latency",
            "posted",
            "verify-a-topic",
            "questions",
            "questions-longer",
            "questions-latency",
            "questions-state",
        ),
        lambda quick, servers: _on_a_cluster(quick, servers.enter_context(cluster.cluster())),
    ),
}


@click.command()
@click.option(
    "--quick", is_flag=True, envvar="QUICK", help="Short runs, under 3 minutes; no document is written."
)
@click.option("--only", default="", envvar="ONLY", metavar="NAME,…", help="These groups or sections only.")
@click.option("--rounds", type=click.IntRange(1), help="Runs of each case: 3, with --quick 1.")
def main(quick: bool, only: str, rounds: int | None) -> None:
    """Measure generation, serving, reading and the bridge, side by side."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM stops the servers like Ctrl-C
    wanted = {word.strip() for word in only.split(",") if word.strip()}
    known = {name for group, value in GROUPS.items() for name in (group, *value.names)}
    if unknown := wanted - known:
        there_are = ", ".join(sorted(known))
        raise click.UsageError(f"no section {', '.join(sorted(unknown))}; there are {there_are}")
    stored, failed = _run(wanted, quick, rounds or (1 if quick else 3))
    if not quick:
        _write(stored)
    for name, words in failed.items():
        click.echo(f"{name}: {words}", err=True)
    sys.exit(1 if failed else 0)


def _run(wanted: set[str], quick: bool, rounds: int) -> tuple[StoredFigures, dict[str, str]]:
    """Measure, and print the new figures; returns them with the older ones, and the cases that failed."""
    talk, stored = (
        Console(stderr=True, highlight=False, markup=False),
        load_figures(DOCS / "performance.json", machine()),
    )
    measured: set[str] = set()
    failed: dict[str, str] = {}
    with ExitStack() as servers:
        for section in _sections(wanted, quick, servers):
            speed = python_speed()
            found, broken = measure(section, rounds, lambda what: talk.print(what, style="dim"))
            measured.add(section.name)
            failed |= broken
            stored = stored.with_record(_record(section, found, broken, speed))
            if not quick:
                stored.save(DOCS / "performance.json")
    table_console().print(as_table(stored, measured))
    return stored, failed


def _sections(wanted: set[str], quick: bool, servers: ExitStack) -> Iterator[Section]:
    """The requested sections. A group opens its resources on `servers` when it is measured."""
    for name, group in GROUPS.items():
        if not wanted or name in wanted or wanted & set(group.names):
            for section in group.make(quick, servers):
                if not wanted or name in wanted or section.name.replace(" ", "-") in wanted:
                    yield section


def _record(
    section: Section, found: list[Measurement], broken: dict[str, str], python_speed: float
) -> Record:
    return Record(
        name=section.name,
        title=section.title,
        unit=section.unit,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        yardstick=section.yardstick,
        note=section.note,
        axis=section.axis,
        absent=section.absent | broken,
        measurements=tuple(found),
        python_speed=python_speed,
    )


def _write(stored: StoredFigures) -> None:
    plots.draw(stored, DOCS / "plots")
    (DOCS / "PERFORMANCE.md").write_text(document.page(stored, DOCS), encoding="utf-8")


if __name__ == "__main__":
    main()
