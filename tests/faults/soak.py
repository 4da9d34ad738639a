"""`python -m faults.soak` (make soak): random faults for hours, one line per minute, one audit per round."""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
from faults import network_faults, process_faults
from faults.experiment import Experiment
from faults.fault import Fault
from faults.modes import Mode, modes_named
from faults.results import Result
from faults.runner import run_fault
from faults.shared_stack import SharedStack, one_broker
from faults.whole_run import whole_run
from running import repeated

from toolkit.options import FiniteFloat

ROUND_SECONDS = 240.0  # of faults; then everything is audited, and the next round starts with empty topics
RATE = 500
_DICE: tuple[Callable[[Experiment], str], ...] = (
    network_faults.one_reset,
    process_faults.one_taskmanager_kill,
    process_faults.taskmanager_pause_short,
    process_faults.taskmanager_pause_long,
    process_faults.broker_pause,
    process_faults.broker_kill,
    network_faults.slow_network,
)


@dataclass
class Soak:
    """What has happened so far; another thread prints it."""

    begun: float = field(default_factory=time.monotonic)
    doing: str = "starting"
    faults: int = 0
    results: list[Result] = field(default_factory=list)

    def line(self) -> str:
        minutes = (time.monotonic() - self.begun) / 60
        totals = {
            name: sum(r.figures.get(name, 0) for r in self.results)
            for name in ("produced", "lost", "duplicated")
        }
        audited = " ".join(f"{name}={value}" for name, value in totals.items())
        failed = sum(not result.ok for result in self.results)
        return (
            f"{minutes:6.1f} min  faults={self.faults} audited: {audited} failed={failed}  now: {self.doing}"
        )


@click.command()
@click.option(
    "--hours", type=FiniteFloat(min=0, min_open=True), default=1.0, envvar="HOURS", show_envvar=True
)
@click.option(
    "--seed", type=int, envvar="SEED", show_envvar=True, help="Repeats the faults of an earlier soak."
)
@click.option("--modes", default="auto,exactly-once", envvar="MODES", show_envvar=True, show_default=True)
def main(hours: float, seed: int | None, modes: str) -> None:
    """Do random faults until HOURS are over; exit code 1 if a mode broke its promise.

    Each round has its own jobs. In addition, one job runs for the whole time and is audited at its end.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM stops the servers like Ctrl-C
    seed = random.randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}: SEED={seed} repeats this soak")
    soak = Soak()
    with (
        tempfile.TemporaryDirectory(prefix="win-event-soak-") as scratch,
        one_broker(Path(scratch) / "stack") as built,
        repeated(lambda: click.echo(soak.line()), 60),
        whole_run(built, Path(scratch) / "whole-run", seed, hours * 3600) as audited,
    ):
        _rounds(built, Path(scratch), soak, random.Random(seed), modes_named(modes), hours * 3600)
        soak.doing = "auditing the job of the whole run"
        soak.results.append(audited())
    click.echo(soak.line())
    for result in soak.results:
        if not result.ok:
            click.echo(f"FAILED {result.row} [{result.mode}] seed {result.seed}: {result.problem}")
    sys.exit(0 if all(result.ok for result in soak.results) else 1)


def _rounds(
    built: SharedStack, scratch: Path, soak: Soak, rng: random.Random, modes: tuple[Mode, ...], limit: float
) -> None:
    number = 0
    while time.monotonic() - soak.begun < limit:
        number += 1
        seconds = max(min(ROUND_SECONDS, limit - (time.monotonic() - soak.begun)), 30.0)
        fault = Fault(f"soak-{number}", "random faults", _random_faults(soak, rng, seconds))

        def say(what: str) -> None:
            soak.doing = what

        built.ready()
        soak.results += run_fault(built, fault, modes, scratch / fault.name, rng.randrange(10**6), say, RATE)


def _random_faults(soak: Soak, rng: random.Random, seconds: float) -> Callable[[Experiment], str]:
    """Faults and pauses in turn; the last one may end later."""

    def inject(experiment: Experiment) -> str:
        begun = time.monotonic()
        proofs: list[str] = []
        while not proofs or time.monotonic() - begun < seconds:
            fault = rng.choice(_DICE)
            soak.doing, soak.faults = fault.__name__.replace("_", " "), soak.faults + 1
            proofs.append(fault(experiment))
            experiment.load(rng.uniform(1, 10))
        return "; ".join(proofs)

    return inject


if __name__ == "__main__":
    main()
