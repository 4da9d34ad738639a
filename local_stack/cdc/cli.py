"""win-event-stack cdc: the inventory's database, and whether Kafka has what it holds."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from local_stack import processes
from local_stack.cdc import postgres
from local_stack.layout import LOOPBACK
from local_stack.terminal import TerminalTalk, current_stack, errors_told


@click.group()
def cdc() -> None:
    """The inventory of computers and accounts, and its changes in Kafka: status, reset, sql.

    \b
    Example:
      win-event-stack up --cdc && win-event-stack cdc status
    """


@cdc.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("psql_options", nargs=-1, type=click.UNPROCESSED)
def sql(psql_options: tuple[str, ...]) -> None:
    """Open psql on the inventory, as the role that owns its tables.

    \b
    Examples:
      win-event-stack cdc sql
      win-event-stack cdc sql -c "UPDATE computers SET criticality = 'critical' WHERE name LIKE 'WS-003%'"
    """
    stack = current_stack()
    with errors_told(TerminalTalk()):
        if processes.running(stack, postgres.NAME) is None:
            raise processes.StartError("the inventory is not running. First: win-event-stack up --cdc")
        where = ["-h", LOOPBACK, "-p", str(stack.postgres_port), "-U", postgres.OWNER, "-d", "inventory"]
        login = {"PGPASSWORD": postgres.secret(stack, postgres.OWNER).read_text(encoding="utf-8")}
        sys.exit(
            subprocess.call([str(postgres.program("psql")), *where, *psql_options], env=os.environ | login)
        )
