"""win-event-stack peek: the newest records of a topic as a table."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from local_stack.health.peek import all_of, newest, newest_of_each_key
from local_stack.health.peek_view import for_screen
from local_stack.terminal import TerminalReporter, current_stack, errors_told

_WIDTH_IN_A_PIPE = 2_000


@click.command("peek")
@click.argument("topic")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    envvar="WIN_EVENT_PEEK_LINES",
    show_envvar=True,
    help="Largest number of records to show.",
)
@click.option(
    "--last-rows",
    is_flag=True,
    envvar="WIN_EVENT_PEEK_LAST_ROWS",
    show_envvar=True,
    help="Read the whole topic and show only the newest record of each key, as is usual for results.",
)
def peek(topic: str, lines: int, last_rows: bool) -> None:
    """Show the newest records of TOPIC: time, key, and the fields of each row.

    On a terminal that is too narrow for a table, each field has its own line. In a pipe, nothing is cut off.

    \b
    Examples:
      win-event-stack peek events_processed
      win-event-stack peek events_by_level_5m --last-rows -n 50
    """
    reporter = TerminalReporter()
    reporter.doing(f"waiting for the records of {topic}")
    with errors_told(reporter):
        stack = current_stack()
        records = newest_of_each_key(all_of(stack, topic)) if last_rows else newest(stack, topic, lines)
    reporter.pause()
    if not records:
        click.echo(f"{topic} is empty", err=True)
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_IN_A_PIPE)
    console.print(for_screen(records[-lines:], console.width), crop=False)
