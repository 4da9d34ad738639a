"""win-event-stack export and import: a topic as files, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from local_stack.backup.backup import BackupError
from local_stack.backup.export import export_topic
from local_stack.backup.restore import import_topic
from local_stack.broker import broker, kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.terminal import TerminalReporter, current_stack, errors_told

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("export")
@click.argument("topic")
@click.argument("folder", type=_FOLDER, metavar="DIR")
def export(topic: str, folder: Path) -> None:
    """Write all committed records of TOPIC into the new folder DIR.

    Key, headers, timestamp, value and partition are stored, as JSON lines. DIR appears when it is complete.

    \b
    Example:
      win-event-stack export events_processed backup/events
    """
    reporter = TerminalReporter()
    reporter.doing(f"waiting for the records of {topic}")
    with errors_told(reporter):
        try:
            backup = export_topic(_login(), topic, folder, _counting(reporter, f"exporting {topic}"))
        except BackupError as error:
            reporter.failed(error)
            sys.exit(1)
    reporter.done(f"{topic}: {backup.records:,} records of {len(backup.partitions)} partitions in {folder}")


@click.command("import")
@click.argument("topic")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option("--resume", is_flag=True, help="Continue an import that was interrupted.")
def restore(topic: str, folder: Path, resume: bool) -> None:
    """Write a backup into TOPIC, which must be empty: every record into its partition, in its order.

    A missing topic is created with the partitions and settings of the exported one. The files are
    checked before the first record is written.

    \b
    Examples:
      win-event-stack import events_copy backup/events
      win-event-stack import events_copy backup/events --resume
    """
    reporter = TerminalReporter()
    reporter.doing(f"waiting for Kafka to show {topic}")
    with errors_told(reporter):
        try:
            done = import_topic(_login(), topic, folder, resume, _counting(reporter, f"importing {topic}"))
        except BackupError as error:
            reporter.failed(error)
            sys.exit(1)
    made = " (made)" if done.created else ""
    there = f", {done.found:,} were there" if done.found else ""
    reporter.done(f"{topic}{made}: {done.written:,} records of {done.backup.topic} written{there}")
    if done.expired:
        reporter.line(
            f"[yellow]warning:[/] {done.expired:,} of them are older than the topic's retention.ms: Kafka "
            "will remove them. To keep them, raise it (-1: for ever) and import again"
        )


def _login() -> dict[str, str]:
    stack = current_stack()
    login = kafka_objects.connection(stack, SUPER_USER).client_settings()
    broker.require_running(stack)
    return login


def _counting(reporter: TerminalReporter, what: str) -> Callable[[int], None]:
    return lambda count: reporter.doing(f"{what}: {count:,} records")
