"""The command line side of KafkaConnection: the options every Kafka tool of the house shares."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from kafka_setup.connection.passwords import login_file
from kafka_setup.connection.settings import (
    SASL_MECHANISMS,
    SECURITY_PROTOCOLS,
    ConnectionSettingsError,
    KafkaConnection,
    Secret,
    read_oauth,
    read_password,
)

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--kafka-bootstrap-servers",
        envvar="KAFKA_BOOTSTRAP_SERVERS",
        show_envvar=True,
        default="127.0.0.1:9092",
        show_default=True,
        metavar="HOST:PORT,…",
        help="Where the Kafka cluster listens.",
    ),
    click.option(
        "--kafka-security-protocol",
        envvar="KAFKA_SECURITY_PROTOCOL",
        show_envvar=True,
        type=click.Choice(SECURITY_PROTOCOLS, case_sensitive=False),
        default="SASL_PLAINTEXT",
        show_default=True,
    ),
    click.option(
        "--kafka-sasl-mechanism",
        envvar="KAFKA_SASL_MECHANISM",
        show_envvar=True,
        type=click.Choice(SASL_MECHANISMS, case_sensitive=False),
        default="SCRAM-SHA-512",
        show_default=True,
    ),
    click.option(
        "--kafka-username",
        envvar="KAFKA_USERNAME",
        show_envvar=True,
        help="The password comes from KAFKA_PASSWORD or KAFKA_PASSWORD_FILE, never from an option.",
    ),
    click.option(
        "--kafka-ca-file",
        envvar="KAFKA_CA_FILE",
        show_envvar=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Certificate authority that signed the brokers' certificates.",
    ),
    click.option(
        "--kafka-certificate-file",
        envvar="KAFKA_CERTIFICATE_FILE",
        show_envvar=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Certificate to log in with over SSL, with --kafka-key-file.",
    ),
    click.option(
        "--kafka-key-file",
        envvar="KAFKA_KEY_FILE",
        show_envvar=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
    ),
)


def kafka_connection_options(command: Command) -> Command:
    """Add the --kafka-* options; `take_connection` turns their values into a KafkaConnection."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_connection(values: dict[str, Any], role: str | None = None) -> KafkaConnection:
    """Pop the --kafka-* values out of `values`; a wrong combination is a usage error (exit 2).

    `role` is the user to log in as where nobody names one and WIN_EVENT_PASSWORD_DIR has its password.
    """
    try:
        username, password = _login(values, role)
        connection = KafkaConnection(
            bootstrap_servers=values.pop("kafka_bootstrap_servers"),
            security_protocol=values.pop("kafka_security_protocol"),
            sasl_mechanism=values.pop("kafka_sasl_mechanism"),
            username=username,
            password=password,
            ca_file=values.pop("kafka_ca_file"),
            certificate_file=values.pop("kafka_certificate_file"),
            key_file=values.pop("kafka_key_file"),
            oauth=read_oauth(os.environ),
        )
    except ConnectionSettingsError as error:
        raise click.UsageError(str(error)) from error
    for warning in connection.warnings():
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    return connection


def _login(values: dict[str, Any], role: str | None) -> tuple[str | None, Secret | None]:
    """Raises ConnectionSettingsError."""
    user = values.pop("kafka_username")
    by_password = values["kafka_security_protocol"].startswith("SASL_")
    file = login_file(os.environ, user or role) if by_password else None
    if file is None:
        return user, read_password(os.environ)
    return user or role, read_password({"KAFKA_PASSWORD_FILE": str(file)})
