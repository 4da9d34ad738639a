"""win-event-stack demo-faults: how it looks on a terminal and in a pipe."""

from __future__ import annotations

import sys
import time

import click

from local_stack.demo import demo_faults as show_case
from local_stack.demo_cli import DemoShow
from local_stack.layout import default_directory
from local_stack.terminal import errors_told

PIPE_SECONDS = 5.0  # between two status lines where no line can be overwritten
_TITLES = {"taskmanager-1": "TaskManager", "kafka-1": "broker", "producer": "producer"}


class FaultShow(DemoShow):
    _told = 0.0

    def status(self, now: show_case.Status) -> None:
        parts = [f"{_TITLES[name]} {'pid ' + str(pid) if pid else 'DEAD'}" for name, pid in now.pids.items()]
        records = "no answer" if now.in_kafka is None else f"{now.in_kafka:,}"
        line = f"{' · '.join(parts)} · job {now.job} · produced {now.produced:,} · in Kafka {records}"
        if self.console.is_terminal:
            self.doing(line)
        elif time.monotonic() - self._told > PIPE_SECONDS:
            self._told = time.monotonic()
            self.line(f"  {line}")

    def struck(self, name: str, pid: int) -> None:
        self.line(f"[red]✗[/] {_TITLES[name]} (pid {pid}) killed with kill -9")

    def recovered(self, name: str, pid: int, seconds: float) -> None:
        self.done(f"{_TITLES[name]} runs again as pid {pid}; events reach Kafka again, {seconds:.1f} s later")


@click.command("demo-faults")
@click.option(
    "--rate", default=500, envvar="DEMO_RATE", show_envvar=True, show_default=True, help="Events a second."
)
@click.option("--pause", default=6.0, show_default=True, help="Seconds of peace between two kills.")
def demo_faults(rate: int, pause: float) -> None:
    """Run the pipeline and kill everything in turn: TaskManager, broker, producer.

    Each is killed with kill -9 under load and comes back; at the end the topic is compared with what
    was produced. Exit code 1 when an event is missing.

    \b
    Example:
      win-event-stack demo-faults --rate 1000
    """
    show = FaultShow(stderr=False)
    settings = show_case.FaultSettings(rate, pause, default_directory() / "demo")
    with errors_told(show):
        complete = show_case.run(settings, show)
    sys.exit(0 if complete else 1)
