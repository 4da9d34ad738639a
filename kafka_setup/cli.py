"""win-event-kafka-setup: topics, users and permissions of a Kafka cluster."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from confluent_kafka import KafkaException
from rich.console import Console

from kafka_setup import rows
from kafka_setup.apply import ApplySettings, apply, compare
from kafka_setup.check import CheckSettings, check
from kafka_setup.cli_options import password_dir_option, setup_options, take_setup
from kafka_setup.connection import ConnectionSettingsError, Secret, read_password
from kafka_setup.passwords import new_password
from kafka_setup.resources import Result
from kafka_setup.rotate import RotateSettings, rotate
from kafka_setup.session import KafkaUnavailableError, open_admin, refusal
from kafka_setup.state import NotAllowedError
from kafka_setup.teardown import TeardownSettings, survey, teardown
from kafka_setup.topology import TopologyError, default_topology_text

DEFAULT_FILE = "kafka-topology.yaml"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="win-event-bridge")
def commands() -> None:
    """Sets up topics, SCRAM users and least-privilege permissions in a Kafka cluster, and proves them.

    Logs in with KAFKA_USERNAME and KAFKA_PASSWORD (or KAFKA_PASSWORD_FILE); the users' own passwords
    come from the variables that the topology names, VARIABLE or VARIABLE_FILE, or from --password-dir.

    \b
    Examples:
      win-event-kafka-setup plan
      win-event-kafka-setup apply --password-dir secrets
      win-event-kafka-setup check --password-dir secrets
    """


@commands.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_FILE)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(file: Path, force: bool) -> int:
    """Copy the documented topology to FILE, to be changed.

    \b
    Example:
      win-event-kafka-setup init kafka-topology.yaml
    """
    try:
        with file.open("w" if force else "x", encoding="utf-8") as out:
            out.write(default_topology_text())
    except FileExistsError:
        raise click.UsageError(f"{file} is there already: name another file, or give --force") from None
    except OSError as error:
        raise click.UsageError(f"cannot write {file}: {error.strerror}") from None
    click.echo(f"wrote {file}; next: win-event-kafka-setup plan --topology {file}", err=True)
    return 0


@commands.command("plan")
@click.option("--exit-code", is_flag=True, help="Exit with 2 when something would change.")
@password_dir_option
@setup_options
def plan_command(exit_code: bool, **values: Any) -> int:
    """Show what `apply` would do, and change nothing.

    \b
    Example:
      win-event-kafka-setup plan --exit-code
    """
    setup = take_setup(values)
    settings = ApplySettings(setup.topology, setup.connection, setup.passwords, setup.password_dir)
    changes = compare(settings, open_admin(setup.connection, wait=setup.wait, on_wait=_say_waiting))
    shown = [rows.from_change(change) for change in changes if setup.as_json or change.action != "exists"]
    _show(shown, as_json=setup.as_json, signs=True)
    counts = Counter(change.action for change in changes)
    _talk(", ".join(f"{count} {action}" for action, count in counts.items()) or "the topology is empty")
    return 2 if exit_code and any(change.pending for change in changes) else 0


@commands.command("apply")
@click.option("--reset-passwords", is_flag=True, help="Set a user's password where the cluster has another.")
@click.option("--prune", is_flag=True, help="Remove permissions of these users that the topology lacks.")
@password_dir_option
@setup_options
def apply_command(reset_passwords: bool, prune: bool, **values: Any) -> int:
    """Create or change what differs; running it again changes nothing.

    \b
    Example:
      KAFKA_USERNAME=admin KAFKA_PASSWORD_FILE=admin.password \\
        win-event-kafka-setup apply --password-dir secrets
    """
    setup = take_setup(values)
    settings = ApplySettings(
        topology=setup.topology,
        connection=setup.connection,
        passwords=setup.passwords,
        password_dir=setup.password_dir,
        reset_passwords=reset_passwords,
        prune=prune,
        wait=setup.wait,
    )
    return _report(apply(settings, on_wait=_say_waiting), as_json=setup.as_json)


@commands.command("check")
@password_dir_option
@setup_options
def check_command(**values: Any) -> int:
    """Log in as every user; prove that what is allowed works and the rest is refused.

    Leaves no record, offset, topic, user or permission behind.

    \b
    Example:
      win-event-kafka-setup check --password-dir secrets
    """
    setup = take_setup(values)
    settings = CheckSettings(setup.topology, setup.connection, setup.passwords, setup.wait)
    return _report(check(settings, on_wait=_say_waiting), as_json=setup.as_json)


@commands.command("teardown")
@click.option("--yes", is_flag=True, help="Do not ask.")
@setup_options
def teardown_command(yes: bool, **values: Any) -> int:
    """Remove the topics, users and permissions that the topology names, and nothing else.

    \b
    Example:
      win-event-kafka-setup teardown --topology kafka-topology.yaml
    """
    setup = take_setup(values)
    settings = TeardownSettings(setup.topology, setup.connection, setup.wait)
    admin, changes = survey(settings, on_wait=_say_waiting)
    if not any(change.action == "remove" for change in changes):
        _talk("nothing to remove")
        return 0
    if not yes:
        Console(stderr=True, highlight=False).print(
            rows.as_text(map(rows.from_change, changes), signs=True), end="", soft_wrap=True
        )
        if not sys.stdin.isatty():
            raise click.UsageError("nobody here to ask: give --yes")
        click.confirm("Remove these?", abort=True, err=True)
    return _report(teardown(settings, admin, changes), as_json=setup.as_json)


@commands.command("rotate")
@click.argument("user")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the new password from standard input.")
@password_dir_option
@setup_options
def rotate_command(user: str, from_stdin: bool, **values: Any) -> int:
    """Give USER a new password.

    It comes from --stdin, else from WIN_EVENT_NEW_PASSWORD or WIN_EVENT_NEW_PASSWORD_FILE, else it is
    generated: into DIR/USER.password with --password-dir, else printed once on standard output.

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
    result = rotate(settings, on_wait=_say_waiting)
    Console(stderr=True, highlight=False).print(rows.as_text([result]), end="", soft_wrap=True)
    if not result.failed and given is None and setup.password_dir is None:
        click.echo(settings.password)
    return int(result.failed)


def _new_password(from_stdin: bool) -> Secret | None:
    if not from_stdin:
        return read_password(os.environ, "WIN_EVENT_NEW_PASSWORD")
    password = Secret(sys.stdin.readline().rstrip("\r\n"))
    if not password:
        raise click.UsageError("standard input has no password")
    return password


def _report(results: list[Result], *, as_json: bool) -> int:
    _show(results, as_json=as_json)
    counts = Counter(result.status for result in results)
    _talk(", ".join(f"{count} {status}" for status, count in counts.items()) or "the topology is empty")
    return int(any(result.failed for result in results))


def _show(results: Iterable[Result], *, as_json: bool, signs: bool = False) -> None:
    if as_json:
        click.echo(rows.as_json(results), nl=False)
    else:
        Console(highlight=False).print(rows.as_text(results, signs=signs), end="", soft_wrap=True)


def _talk(line: str) -> None:
    click.echo(line, err=True)


def _say_waiting(reason: str) -> None:
    click.secho(f"waiting: {reason}", fg="yellow", err=True)


def main() -> None:
    """Exit codes: 0 done, 1 the cluster said no, 2 usage, 130 interrupted."""
    try:
        code = commands.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (TopologyError, ConnectionSettingsError) as error:
        _fail(str(error), 2)
    except (KafkaUnavailableError, NotAllowedError) as error:
        _fail(str(error), 1)
    except KafkaException as error:
        _fail(refusal(error.args[0]), 1)
    sys.exit(code or 0)


def _fail(text: str, code: int) -> None:
    click.echo(click.style("error: ", fg="red") + text, err=True)
    sys.exit(code)
