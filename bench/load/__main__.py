"""`python -m bench.load` (make load): exit code 0 if every promise is kept, 1 if one is broken."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import click
import orjson
from rich.table import Table
from running import RunningStack

from bench.bridge.cluster import Cluster, cluster
from bench.load.promises import Found, Promise, judged, percentiles
from bench.load.run import Watched, run
from consumer.standard_output import table_console
from local_stack.cluster.submission import is_up
from local_stack.layout import load_stack
from toolkit.options import FiniteFloat


@click.command()
@click.option("--rate", envvar="RATE", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--seconds", envvar="SECONDS", default=60.0, show_default=True, type=FiniteFloat(1))
@click.option("--own", envvar="OWN", is_flag=True, help="Start a separate stack, even if one is running.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(rate: int, seconds: float, own: bool, as_json: bool) -> None:
    """Load the running stack, or a new one, and check every promise.

    \b
    Example:
      make load RATE=10000 SECONDS=60
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM stops the servers like Ctrl-C
    with _own() if own or not is_up(load_stack()) else _running() as shared:
        found, watched = run(shared, rate, seconds)
    promises = judged(found)
    if as_json:
        click.echo(orjson.dumps(_as_json(found, watched, promises)))
    else:
        _show(found, watched, promises)
    sys.exit(0 if all(each.holds for each in promises) else 1)


def _own() -> Any:
    click.echo("starting a stack of its own", err=True)
    return cluster()


@contextmanager
def _running() -> Iterator[Cluster]:
    stack = load_stack()
    click.echo(f"loading the stack in {stack.directory}", err=True)
    environment = {"WIN_EVENT_STACK_DIR": str(stack.directory)}
    # Separate topics: the number distinguishes them from those of other runs on the same stack.
    shared = Cluster(RunningStack(stack, environment), count(int(time.time())))
    yield shared
    shared.reader.close()


def _as_json(found: Found, watched: Watched, promises: list[Promise]) -> dict[str, Any]:
    return {
        "ok": all(each.holds for each in promises),
        "promises": promises,
        "rate": round(found.rate, 1),
        "latency_ms": percentiles(found.latencies),
        "posts": len(found.posted),
        "lag": found.lag,
        "stack": {"cpu": round(found.cpu, 1), "memory": round(found.memory, 1)},
        "machine": {"cpu": watched.machine_cpu, "memory": max(watched.machine_memory, default=0.0)},
        "cost": {name: {"cpu": cpu, "mib": mib} for name, (cpu, mib) in watched.cost.items()},
    }


def _show(found: Found, watched: Watched, promises: list[Promise]) -> None:
    table = Table("", "promised", "found", "verdict", title="Promises", title_justify="left")
    for each in promises:
        verdict = "[green]✓ holds[/]" if each.holds else "[red]✗ BROKEN[/]"
        table.add_row(each.name, each.promised, each.found, verdict)
    costs = Table("process", "% of a core", "MiB", title="Cost", title_justify="left")
    for name, (cpu, mib) in watched.cost.items():
        costs.add_row(name, f"{cpu:.0f}", f"{mib:,.0f}")
    screen = table_console()
    screen.print(table, costs)
    told = ", ".join(f"{name} {value} ms" for name, value in percentiles(found.latencies).items())
    screen.print(f"event to Kafka: {told}; at most {found.lag:,} events waited in the producer's log")
    screen.print(
        f"the whole machine, with the load itself and whatever else runs: CPU {watched.machine_cpu:.0f} %, "
        f"memory {max(watched.machine_memory, default=0.0):.0f} %"
    )
    broken = [each.name for each in promises if not each.holds]
    screen.print(f"BROKEN: {', '.join(broken)}" if broken else "every promise holds")


if __name__ == "__main__":
    main()
