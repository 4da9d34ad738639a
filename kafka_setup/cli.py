"""win-event-kafka-setup: topics, users and permissions of a Kafka cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from confluent_kafka import KafkaException

from kafka_setup import rows
from kafka_setup.changes.apply import ApplySettings, apply, compare
from kafka_setup.changes.state import NotAllowedError
from kafka_setup.check.check import CheckSettings, check
from kafka_setup.cli_options import (
    password_dir_option,
    setup_options,
    take_setup,
    take_topology_text,
    topic_name_options,
)
from kafka_setup.cli_output import fail, report, say_waiting, show, summary, working
from kafka_setup.connection.session import KafkaUnavailableError, open_admin, refusal
from kafka_setup.connection.settings import ConnectionSettingsError
from kafka_setup.removal_cli import rotate_command, teardown_command
from kafka_setup.topology.file import TopologyError, parse_topology
from toolkit.options import read_environment

DEFAULT_FILE = "kafka-topology.yaml"
PLANNED = {
    "create": "to create",
    "change": "to change",
    "blocked": "to settle by hand",
    "extra": "not in the topology",
    "remark": "to know",
    "exists": "as wanted",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="win-event-bridge")
def commands() -> None:
    """Set up topics, SCRAM users and least-privilege permissions in a Kafka cluster, and test them.

    The tool logs in with KAFKA_USERNAME and KAFKA_PASSWORD (or KAFKA_PASSWORD_FILE). The passwords of the
    users come from the variables in the topology, VARIABLE or VARIABLE_FILE, or from --password-dir. Every
    option is also read from the environment, except those that remove or overwrite something.

    \b
    Examples:
      win-event-kafka-setup plan
      win-event-kafka-setup apply --password-dir secrets
      win-event-kafka-setup apply --password-dir secrets --kafka-topic soc.windows.v1
      win-event-kafka-setup check --password-dir secrets
    """


@commands.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_FILE)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@topic_name_options
def init(file: Path, force: bool, **names: str) -> int:
    """Copy the built-in topology to FILE, so that you can change it.

    \b
    Examples:
      win-event-kafka-setup init kafka-topology.yaml
      win-event-kafka-setup init --kafka-topic soc.windows.v1 --kafka-rejected-topic soc.rejected.v1
    """
    text = take_topology_text(names)
    parse_topology(text)
    try:
        with file.open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise click.UsageError(f"{file} already exists: name another file, or use --force") from None
    except OSError as error:
        raise click.UsageError(f"cannot write {file}: {error.strerror}") from None
    click.echo(f"wrote {file}; next: win-event-kafka-setup plan --topology {file}", err=True)
    return 0


@commands.command("plan")
@click.option("--exit-code", is_flag=True, help="Exit with code 2 if something would change.")
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
    with working("comparing the cluster with the topology"):
        changes = compare(settings, open_admin(setup.connection, wait=setup.wait, on_wait=say_waiting))
    shown = [rows.from_change(change) for change in changes if setup.as_json or change.action != "exists"]
    show(shown, as_json=setup.as_json, signs=True)
    summary(PLANNED[change.action] for change in changes)
    return 2 if exit_code and any(change.pending for change in changes) else 0


@commands.command("apply")
@click.option("--reset-passwords", is_flag=True, help="Set a password where the cluster has a different one.")
@click.option("--prune", is_flag=True, help="Remove permissions of these users that are not in the topology.")
@password_dir_option
@setup_options
def apply_command(reset_passwords: bool, prune: bool, **values: Any) -> int:
    """Create or change what differs; a second run changes nothing.

    \b
    Example:
      KAFKA_USERNAME=admin KAFKA_PASSWORD_FILE=secrets/admin \\
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
    with working("changing the cluster to match the topology"):
        results = apply(settings, on_wait=say_waiting)
    return report(results, as_json=setup.as_json, untold="exists")


@commands.command("check")
@password_dir_option
@setup_options
def check_command(**values: Any) -> int:
    """Log in as every user and test the permissions.

    Allowed operations must work, and all others must be refused with the exact error.

    The check leaves no record, offset, topic, user or permission behind. It was tested with Apache Kafka;
    other brokers may check requests in another order.

    \b
    Example:
      win-event-kafka-setup check --password-dir secrets
    """
    setup = take_setup(values)
    settings = CheckSettings(setup.topology, setup.connection, setup.passwords, setup.wait)
    with working("testing as every user what must work and what must be refused"):
        results = check(settings, on_wait=say_waiting)
    return report(results, as_json=setup.as_json)


commands.add_command(teardown_command)
commands.add_command(rotate_command)
read_environment(commands, "WIN_EVENT_KAFKA_SETUP")


def main() -> None:
    """Exit codes: 0 success, 1 the cluster refused, 2 usage, 130 interrupted."""
    try:
        code = commands.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        fail("interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (TopologyError, ConnectionSettingsError) as error:
        fail(str(error), 2)
    except (KafkaUnavailableError, NotAllowedError) as error:
        fail(str(error), 1)
    except KafkaException as error:
        fail(refusal(error.args[0]), 1)
    sys.exit(code or 0)
