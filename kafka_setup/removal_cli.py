"""The commands that remove something: teardown, and rotate, which replaces a password."""

from __future__ import annotations

import os
import sys
from typing import Any

import click
from rich.console import Console

from kafka_setup import rows
from kafka_setup.changes.rotate import RotateSettings, rotate
from kafka_setup.changes.teardown import TeardownSettings, survey, teardown
from kafka_setup.cli_options import password_dir_option, setup_options, take_setup
from kafka_setup.cli_output import report, say, say_waiting, working
from kafka_setup.connection.passwords import new_password
from kafka_setup.connection.settings import Secret, read_password


@click.command("teardown")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@setup_options
def teardown_command(yes: bool, **values: Any) -> int:
    """Remove what the topology names, and nothing else.

    \b
    Example:
      win-event-kafka-setup teardown --topology kafka-topology.yaml
    """
    setup = take_setup(values)
    settings = TeardownSettings(setup.topology, setup.connection, setup.wait)
    with working("looking for topics, users and permissions"):
        admin, changes = survey(settings, on_wait=say_waiting)
    if not any(change.action == "remove" for change in changes):
        say("nothing to remove")
        return 0
    if not yes:
        Console(stderr=True, highlight=False).print(
            rows.as_text(map(rows.from_change, changes), signs=True), end="", soft_wrap=True
        )
        if not sys.stdin.isatty():
            raise click.UsageError("cannot ask for confirmation here: use --yes")
        click.confirm("Remove these?", abort=True, err=True)
    with working("removing"):
        results = teardown(settings, admin, changes)
    return report(results, as_json=setup.as_json)


@click.command("rotate")
@click.argument("user")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the new password from standard input.")
@password_dir_option
@setup_options
def rotate_command(user: str, from_stdin: bool, **values: Any) -> int:
    """Give USER a new password.

    It comes from --stdin, or from WIN_EVENT_NEW_PASSWORD or WIN_EVENT_NEW_PASSWORD_FILE. Otherwise it is
    generated, and written to DIR/USER with --password-dir, or printed once on standard output.

    \b
    Example:
      win-event-kafka-setup rotate bridge --password-dir secrets
    """
    setup = take_setup(values)
    names = [known.name for known in setup.topology.users]
    if user not in names:
        raise click.UsageError(f"the topology has no user {user!r}, only {', '.join(names)}")
    given = _new_password(from_stdin)
    settings = RotateSettings(
        setup.topology.user(user), given or new_password(), setup.connection, setup.password_dir, setup.wait
    )
    told = given is None and setup.password_dir is None
    with working(f"giving {user} a new password"):
        result = rotate(settings, say_waiting, lambda: click.echo(settings.password) if told else None)
    Console(stderr=True, highlight=False).print(rows.as_text([result]), end="", soft_wrap=True)
    return int(result.failed)


def _new_password(from_stdin: bool) -> Secret | None:
    if not from_stdin:
        return read_password(os.environ, "WIN_EVENT_NEW_PASSWORD")
    password = Secret(sys.stdin.readline().rstrip("\r\n"))
    if not password:
        raise click.UsageError("standard input has no password")
    return password
