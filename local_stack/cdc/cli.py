"""win-event-stack cdc: the inventory's database, and whether Kafka has the same rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from local_stack import processes
from local_stack.cdc import postgres
from local_stack.layout import Stack
from local_stack.terminal import TerminalReporter, current_stack, errors_told
from toolkit.addresses import LOOPBACK
from toolkit.options import FiniteFloat

if TYPE_CHECKING:
    from local_stack.cdc.status import Standing


@click.group()
def cdc() -> None:
    """Look at the inventory of computers and accounts, whose changes go to Kafka: status, reset, sql.

    \b
    Example:
      win-event-stack up --cdc && win-event-stack cdc status
    """


@cdc.command()
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="WIN_EVENT_STACK_CDC_STATUS_JSON",
    help="Print JSON for programs.",
)
@click.option(
    "--wait",
    type=FiniteFloat(0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for changes that are on their way.",
)
def status(as_json: bool, wait: float) -> None:
    """Compare every row with the newest record of its key, and show how far behind the connector is.

    Exit code 1 means that a row differs, or that the connector does not read.

    \b
    Example:
      win-event-stack cdc status
    """
    with _of_a_running_inventory() as stack:
        from local_stack.cdc.status import settled

        found = settled(stack, wait)
        click.echo(json.dumps(asdict(found), indent=2) if as_json else _as_text(found))
    sys.exit(0 if found.good else 1)


@cdc.command()
def reset() -> None:
    """Start again: drop the replication slot, empty the topics, delete offsets, read a new snapshot.

    The rows stay, but their older versions are no longer in the topics. Submit a job that reads them again.

    \b
    Example:
      win-event-stack cdc reset && win-event-stack cdc status
    """
    with _of_a_running_inventory() as stack:
        from local_stack.cdc.reset import reset as begin_anew

        begin_anew(stack, TerminalReporter())


@cdc.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("psql_options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF PSQL]…")
def sql(psql_options: tuple[str, ...]) -> None:
    """Open psql on the inventory, as the role that owns its tables.

    \b
    Examples:
      win-event-stack cdc sql
      win-event-stack cdc sql -c "UPDATE computers SET criticality = 'critical' WHERE name LIKE 'WS-003%'"
    """
    with _of_a_running_inventory() as stack:
        where = ["-h", LOOPBACK, "-p", str(stack.postgres_port), "-U", postgres.OWNER, "-d", "inventory"]
        login = {"PGPASSWORD": postgres.secret(stack, postgres.OWNER).read_text(encoding="utf-8")}
        psql = str(postgres.program("psql"))
        sys.exit(subprocess.call([psql, *where, *psql_options], env=os.environ | login))


@contextmanager
def _of_a_running_inventory() -> Iterator[Stack]:
    """Turn errors into one sentence and exit code 1."""
    stack = current_stack()
    with errors_told(TerminalReporter()):
        postgres.check_client()
        if processes.running(stack, postgres.NAME) is None:
            raise processes.StartError("the inventory is not running. First: win-event-stack up --cdc")
        yield stack


def _as_text(found: Standing) -> str:
    reads = "reads" if found.slot_active else "does not read"
    lag = "no replication slot" if found.slot_lag is None else f"{found.slot_lag:,} bytes behind"
    lines = [f"connector   {found.connector or 'none'}, {reads} from the database, {lag}"]
    lines += [f"            {found.trace}"] if found.trace else []
    for table in found.tables:
        verdict = "equal" if table.equal else "DIFFERENT"
        lines.append(f"{table.table:<10}  {verdict}: {table.rows} rows, {table.records} records in the topic")
        for what in ("missing", "surplus", "different"):
            if names := getattr(table, what):
                lines.append(f"            {what}: {', '.join(names[:10])}{' …' if len(names) > 10 else ''}")
    return "\n".join(lines)
