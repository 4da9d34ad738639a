"""`python -m faults` (make faults): run the matrix, keep the results as JSON, write docs/RELIABILITY.md."""

from __future__ import annotations

import itertools
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
from faults import document
from faults.fault import Fault
from faults.matrix import MATRIX
from faults.modes import Mode, modes_named
from faults.producer_faults import PRODUCER_FAULTS
from faults.results import Result, StoredResults, load_results
from faults.runner import RATE, run_fault, run_producer_fault, run_topic_fault
from faults.shared_stack import one_broker, several_brokers
from faults.topic_faults import TOPIC_FAULTS

from bench.machine import machine

REPOSITORY = Path(__file__).resolve().parent.parent.parent
STORED = REPOSITORY / "docs" / "reliability.json"
PAGE = REPOSITORY / "docs" / "RELIABILITY.md"


@click.command()
@click.option("--rows", default="", envvar="ROWS", metavar="NAME,…", help="Run only these rows.")
@click.option("--modes", default="", envvar="MODES", metavar="NAME,…", help="Run only these modes.")
@click.option("--seed", type=int, help="Seed of the events; by default, each row has its own.")
@click.option("--list", "only_list", is_flag=True, help="Print the rows.")
def main(rows: str, modes: str, seed: int | None, only_list: bool) -> None:
    """Break the pipeline in every way of the matrix, and audit the events in Kafka."""
    titles = {row.name: row.title for row in (*PRODUCER_FAULTS, *MATRIX, *TOPIC_FAULTS)}
    wanted = {word.strip() for word in rows.split(",") if word.strip()} or set(titles)
    if unknown := wanted - set(titles):
        raise click.UsageError(f"no row {', '.join(sorted(unknown))}; there are {', '.join(titles)}")
    if only_list:
        for name in titles:
            click.echo(f"{name:24} {titles[name]}")
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM stops the servers like Ctrl-C
    with tempfile.TemporaryDirectory(prefix="win-event-faults-") as scratch:
        results = _run(Path(scratch), wanted, modes_named(modes), seed)
    PAGE.write_text(document.render(load_results(STORED, machine())), encoding="utf-8")
    failed = [result for result in results if not result.ok]
    left_out = [row.name for row in MATRIX if row.name in wanted and row.missing()]
    counts = f"{len(results) - len(failed)} ok, {len(failed)} failed, {len(left_out)} rows left out"
    click.echo(f"{counts}; {PAGE.name} written", err=True)
    sys.exit(1 if failed or left_out else 0)


def _run(scratch: Path, wanted: set[str], modes: tuple[Mode, ...], seed: int | None) -> list[Result]:
    """Run every selected row; the result of each is stored as soon as it has ended."""
    stored, results = load_results(STORED, machine()), []
    seeds = itertools.repeat(seed) if seed is not None else itertools.count(int(time.time()) % 100_000)
    for row in (row for row in PRODUCER_FAULTS if row.name in wanted):
        results.append(run_producer_fault(row, scratch / row.name, next(seeds), _say(row.name)))
        stored = _keep(stored, results[-1:])
    faults = [fault for fault in MATRIX if fault.name in wanted and _can_run(fault)]
    behind = [row for row in TOPIC_FAULTS if row.name in wanted]
    for brokers in sorted({fault.brokers for fault in faults} | ({1} if behind else set())):
        place = scratch / f"stack-{brokers}"
        with one_broker(place) if brokers == 1 else several_brokers(place, brokers) as built:
            for number, fault in enumerate(each for each in faults if each.brokers == brokers):
                built.ready()
                folder = scratch / f"{brokers}-{number}-{fault.name}"
                for group in [(mode,) for mode in modes] if fault.rate else [modes]:
                    pipelines = (
                        folder if len(group) > 1 else folder.with_name(f"{folder.name}-{group[0].name}")
                    )
                    say = _say(fault.name)
                    fresh = run_fault(built, fault, group, pipelines, next(seeds), say, fault.rate or RATE)
                    stored, results = _keep(stored, fresh), results + fresh
            for row in behind if brokers == 1 else ():
                built.ready()
                fresh = [run_topic_fault(built, row, scratch / row.name, next(seeds), _say(row.name))]
                stored, results = _keep(stored, fresh), results + fresh
    return results


def _can_run(fault: Fault) -> bool:
    if missing := fault.missing():
        click.echo(f"left out: {fault.name}: {missing}", err=True)
    return not missing


def _keep(stored: StoredResults, fresh: list[Result]) -> StoredResults:
    for result in fresh:
        _tell(result)
    stored = stored.with_results(fresh)
    stored.save(STORED)
    return stored


def _say(name: str) -> Callable[[str], None]:
    begin = time.monotonic()
    return lambda what: click.echo(f"{time.monotonic() - begin:5.0f} s  {name}: {what}", err=True)


def _tell(result: Result) -> None:
    figures = " ".join(f"{name}={value}" for name, value in result.figures.items())
    click.echo(
        f"{'ok    ' if result.ok else 'FAILED'} {result.row} [{result.mode}] {figures} {result.problem}"
    )


if __name__ == "__main__":
    main()
