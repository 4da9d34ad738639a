"""The command line options of KafkaConnection, which every Kafka tool of the toolkit shares."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from kafka_setup.connection.passwords import login_file
from kafka_setup.connection.security import (
    DEFAULT_MECHANISM,
    DEFAULT_PROTOCOL,
    SASL_MECHANISMS,
    SECURITY_PROTOCOLS,
    uses_sasl,
)
from kafka_setup.connection.settings import (
    ConnectionSettingsError,
    KafkaConnection,
    Secret,
    read_oauth,
    read_password,
)
from kafka_setup.defaults import SERVERS

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def option(name: str, variable: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option that may come from the environment variable, too; --help shows both."""
    attributes.setdefault("show_default", True)
    return click.option(name, envvar=variable, show_envvar=True, **attributes)


def login_options(
    mechanisms: Sequence[str], about_the_password: str
) -> tuple[Callable[[Command], Command], ...]:
    """The options for Kafka's address and user, for the tools and for the jobs, whose TaskManagers log in."""
    return (
        option(
            "--kafka-bootstrap-servers",
            "KAFKA_BOOTSTRAP_SERVERS",
            default=SERVERS,
            metavar="HOST:PORT,…",
            help="Addresses of Kafka brokers.",
        ),
        option(
            "--kafka-security-protocol",
            "KAFKA_SECURITY_PROTOCOL",
            type=click.Choice(SECURITY_PROTOCOLS, case_sensitive=False),
            default=DEFAULT_PROTOCOL,
            help="SASL_… logs in with a password or token, …SSL encrypts.",
        ),
        option(
            "--kafka-sasl-mechanism",
            "KAFKA_SASL_MECHANISM",
            type=click.Choice(mechanisms, case_sensitive=False),
            default=DEFAULT_MECHANISM,
            help="How to log in over SASL.",
        ),
        option("--kafka-username", "KAFKA_USERNAME", help=about_the_password),
    )


_OPTIONS = (
    *login_options(
        SASL_MECHANISMS,
        "The password comes from KAFKA_PASSWORD or KAFKA_PASSWORD_FILE, never from an option.",
    ),
    option(
        "--kafka-ca-file",
        "KAFKA_CA_FILE",
        type=_FILE,
        help="Certificate authority that signed the brokers' certificates.",
    ),
    option(
        "--kafka-certificate-file",
        "KAFKA_CERTIFICATE_FILE",
        type=_FILE,
        help="Client certificate for a login over SSL, together with --kafka-key-file.",
    ),
    option(
        "--kafka-key-file",
        "KAFKA_KEY_FILE",
        type=_FILE,
        help="Private key of the client certificate, without a password.",
    ),
)


def kafka_connection_options(command: Command) -> Command:
    """Add the --kafka-* options; `take_connection` turns their values into a KafkaConnection."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_connection(
    values: dict[str, Any], role: str | None = None, passwords: Path | None = None
) -> KafkaConnection:
    """Pop the --kafka-* values out of `values`; a wrong combination is a usage error (exit 2).

    `role` is the user to log in as if none is named and the folder `passwords`, or else
    WIN_EVENT_PASSWORD_DIR, has its password.
    """
    try:
        username, password = _login(values, role, passwords)
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


def _login(
    values: dict[str, Any], role: str | None, passwords: Path | None
) -> tuple[str | None, Secret | None]:
    """Raises ConnectionSettingsError."""
    user = values.pop("kafka_username")
    by_password = uses_sasl(values["kafka_security_protocol"])
    file = login_file(os.environ, user or role, passwords) if by_password else None
    if file is None:
        return user, read_password(os.environ)
    return user or role, read_password({"KAFKA_PASSWORD_FILE": str(file)})
