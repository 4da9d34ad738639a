"""win-event-kafka-setup: topics, users and permissions of a Kafka cluster."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from confluent_kafka import KafkaException

from kafka_setup.apply import ApplySettings, apply
from kafka_setup.connection import ConnectionSettingsError
from kafka_setup.connection_options import kafka_connection_options, take_connection
from kafka_setup.passwords import known_passwords
from kafka_setup.resources import Result
from kafka_setup.session import DEFAULT_WAIT, KafkaUnavailableError, refusal
from kafka_setup.topology import TopologyError, load_topology

COLOURS = {"created": "green", "changed": "yellow", "removed": "yellow", "extra": "magenta", "failed": "red"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Sets up topics, SCRAM users and least-privilege permissions in a Kafka cluster."""


@commands.command("apply")
@click.option(
    "--topology",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="WIN_EVENT_TOPOLOGY",
    show_envvar=True,
    help="What should exist; default: the file that `init` copies out.",
)
@click.option(
    "--password-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="WIN_EVENT_PASSWORD_DIR",
    show_envvar=True,
    help="Folder with one USER.password file each; a missing one is generated (mode 0600).",
)
@click.option("--reset-passwords", is_flag=True, help="Set a user's password where the cluster has another.")
@click.option(
    "--prune", is_flag=True, help="Remove permissions of these users that the topology does not name."
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=DEFAULT_WAIT,
    show_default=True,
    envvar="WIN_EVENT_KAFKA_WAIT",
    show_envvar=True,
    metavar="SECONDS",
    help="How long to wait for the broker.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row on standard output.")
@kafka_connection_options
def apply_command(**values: Any) -> int:
    """Create or change what differs; running it again changes nothing.

    \b
    Example:
      KAFKA_USERNAME=admin KAFKA_PASSWORD_FILE=admin.password \\
        win-event-kafka-setup apply --password-dir secrets
    """
    topology = load_topology(values["topology"])
    settings = ApplySettings(
        topology=topology,
        connection=take_connection(values),
        passwords=known_passwords(topology.users, os.environ, values["password_dir"]),
        password_dir=values["password_dir"],
        reset_passwords=values["reset_passwords"],
        prune=values["prune"],
        wait=values["wait"],
    )
    results = apply(settings, on_wait=_say_waiting)
    print_results(results, as_json=values["as_json"])
    return 1 if any(result.failed for result in results) else 0


def print_results(results: Iterable[Result], *, as_json: bool) -> None:
    rows = list(results)
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row), ensure_ascii=False))
        return
    kind_width = max((len(row.kind) for row in rows), default=0)
    name_width = max((len(row.name) for row in rows if row.detail), default=0)
    for row in rows:
        status = click.style(f"{row.status:<8}", fg=COLOURS.get(row.status, "bright_black"))
        click.echo(f"{status} {row.kind:<{kind_width}}  {row.name:<{name_width}}  {row.detail}".rstrip())


def _say_waiting(reason: str) -> None:
    click.secho(f"waiting: {reason}", fg="yellow", err=True)


def main() -> None:
    """Exit codes: 0 done, 1 the cluster said no, 2 usage, 130 interrupted."""
    try:
        code = commands.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (TopologyError, ConnectionSettingsError) as error:
        _fail(str(error), 2)
    except KafkaUnavailableError as error:
        _fail(str(error), 1)
    except KafkaException as error:
        _fail(refusal(error.args[0]), 1)
    sys.exit(code or 0)


def _fail(text: str, code: int) -> None:
    click.echo(click.style("error: ", fg="red") + text, err=True)
    sys.exit(code)
