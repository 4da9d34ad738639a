"""win-event-stack demo: the output of the demonstration on a terminal and in a pipe."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from local_stack.demo import demo as show_case
from local_stack.health.peek import Peeked
from local_stack.health.peek_view import as_table
from local_stack.terminal import TerminalReporter, current_stack, errors_told
from toolkit.options import FiniteFloat

SHOWN_EVENTS = 10  # shown one by one; after them, only their number is shown
PIPE_WIDTH = 160
PIPE_SECONDS = 10.0  # seconds between two lines with the number, if no line can be overwritten


class DemoShow(TerminalReporter):
    """Prints the output of the demo; after the first events, one line that is updated."""

    _told = 0.0

    def event(self, key: str, value: str, count: int) -> None:
        if count == 1:
            self._told = time.monotonic()
            self.done("events arrive in Kafka, read by kafka-console-consumer as the user 'reader':")
        if count <= SHOWN_EVENTS:
            line = Text.assemble((f"{key}  ", "cyan"), value)
            line.truncate(self.console.width if self.console.is_terminal else PIPE_WIDTH, overflow="ellipsis")
            self.console.print(line, soft_wrap=True)
            return
        how_many = f"{count:,} events read from Kafka"
        self.doing(how_many)
        if not self.console.is_terminal and time.monotonic() > self._told + PIPE_SECONDS:
            self._told = time.monotonic()
            self.line(f"  {how_many}")

    def alert(self, line: str) -> None:
        self.console.print(Text.assemble(("alert  ", "bold red"), line), soft_wrap=True)

    def score(self, table: str) -> None:
        self.done(
            "alerts compared with the attacks of the producer, with their delays (win-event-detect score):"
        )
        self.console.print(table, markup=False, soft_wrap=True, end="")

    def summary(self, produced: int, report: dict[str, Any]) -> None:
        missing = report["lost"] + report["unseen"]
        rows = [
            ("produced", produced, ""),
            ("in topic", report["records"], ""),
            ("rejected", report["rejected"], ""),
            ("missing", missing, "green" if missing == 0 else "red"),
            ("duplicated", report["duplicated"], ""),
        ]
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, count, style in rows:
            table.add_row(name, Text(str(count), style=style, justify="right"))
        self.console.print(table)

    def answers(self, question: str, rows: list[Peeked]) -> None:
        self.done(f"{question}, in Flink SQL:" if rows else f"{question}, in Flink SQL: nothing")
        if rows:
            wide = self.console if self.console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)
            wide.print(as_table(rows, keys=False))


@click.command()
@click.option(
    "--seconds",
    type=FiniteFloat(0, min_open=True),
    envvar="DEMO_SECONDS",
    show_envvar=True,
    help="End this long after the first event in Kafka.",
)
@click.option(
    "--rate", default=500, envvar="DEMO_RATE", show_envvar=True, show_default=True, help="Events per second."
)
def demo(seconds: float | None, rate: int) -> None:
    """Run the whole pipeline on a stack of its own and audit what arrived.

    Ctrl-C (or --seconds) ends it. Then the producer stops, the last events arrive, the topic is compared with
    the producer's ledger, the alerts are scored, two questions about the topic are answered in Flink SQL, and
    everything is stopped. The exit code is 1 if an event is missing.

    \b
    Example:
      win-event-stack demo --seconds 20
    """
    show = DemoShow(stderr=False)
    settings = show_case.DemoSettings(seconds, rate, current_stack().demo)
    with errors_told(show):
        complete = show_case.run(settings, show)
    sys.exit(0 if complete else 1)
