"""win-event-stack reset: resets one part of the stack."""

from __future__ import annotations

import click

from local_stack.reset.reset import PARTS
from local_stack.reset.reset import reset as reset_part
from local_stack.terminal import TerminalReporter, current_stack, errors_told


@click.command()
@click.argument("part", type=click.Choice(list(PARTS)))
@click.argument("names", nargs=-1)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def reset(part: str, names: tuple[str, ...], yes: bool) -> None:
    """Reset one PART and leave the others unchanged: topics, groups, jobs, checkpoints, metrics.

    topics: remove them with their records, and create those of the topology again. groups: delete the
    positions of consumer groups without readers. jobs: cancel them. checkpoints: remove them, and the
    savepoints. metrics: remove the data of Prometheus. NAMES select topics, groups or jobs; without NAMES,
    all are reset. While a job runs, topics and checkpoints cannot be reset.

    \b
    Examples:
      win-event-stack reset topics events_rejected
      win-event-stack reset jobs && win-event-stack reset checkpoints --yes
    """
    stack, reporter = current_stack(), TerminalReporter()
    what = ", ".join(names) if names and part not in ("checkpoints", "metrics") else "all"
    if not yes:
        click.confirm(f"{part} of the stack in {stack.directory}: {what}. Go on?", abort=True, err=True)
    reporter.doing(f"resetting {part}")
    with errors_told(reporter):
        for line in reset_part(stack, part, names):
            reporter.done(line)
