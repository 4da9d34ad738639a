"""win-event-stack status: one live screen on a terminal, one report in a pipe."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from kafka_setup.connection.settings import REQUEST_TIMEOUT
from local_stack.health.report import Reader, Report, as_json
from local_stack.health.report_view import as_screen
from local_stack.layout import Stack
from local_stack.terminal import current_stack
from toolkit.options import FiniteFloat

_PIPE_WIDTH = 100
_RATE_SECONDS = 1.0  # seconds between the two readings for the rates of a single report


@click.command("status")
@click.option("--json", is_flag=True, help="Print one report as JSON for programs.")
@click.option("--once", is_flag=True, help="Print one report instead of a live screen.")
@click.option(
    "--interval",
    type=FiniteFloat(0.2),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How often the live screen is redrawn.",
)
@click.option(
    "--producer-metrics",
    metavar="HOST:PORT",
    envvar="WIN_EVENT_PRODUCER_METRICS",
    show_envvar=True,
    help="Address of win-event-producer's metrics (its --http-port).",
)
def show_status(json: bool, once: bool, interval: float, producer_metrics: str | None) -> None:
    """Show processes, topics, consumer groups and lag, jobs and checkpoints, and clients of the producer.

    On a terminal, the screen is redrawn until Ctrl-C. In a pipe, one report is printed.

    \b
    Examples:
      win-event-stack status
      win-event-stack status --json | jq .groups
    """
    stack = _stack(producer_metrics)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    if not json and not once and console.is_terminal:
        _live(stack, console, interval)
        return
    reader = Reader(stack, lambda name: click.echo(_waiting(name), err=True))
    before = reader.report()
    if json:
        click.echo(as_json(before))
        return
    time.sleep(_RATE_SECONDS if before.topics else 0)
    console.print(as_screen(reader.report() if before.topics else before, before))


def _stack(producer_metrics: str | None) -> Stack:
    stack = current_stack()
    return replace(stack, producer_metrics=producer_metrics) if producer_metrics else stack


def _waiting(name: str) -> str:
    return f"{name} has not answered yet; waiting up to {REQUEST_TIMEOUT:.0f} s"


def _live(stack: Stack, console: Console, interval: float) -> None:
    before: Report | None = None
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            reader = Reader(stack, lambda name: live.update(Text(_waiting(name)), refresh=True))
            while True:
                now = reader.report()
                live.update(as_screen(now, before), refresh=True)
                before = now
                time.sleep(interval)
    except KeyboardInterrupt:
        console.print(as_screen(now, None) if before else "")
        sys.exit(130)
