"""The options for Kafka's address and login, which all jobs share."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from flink_bridge.kafka.settings import KafkaSettings, KafkaSettingsError
from kafka_setup.connection.listener import protocol_mismatch
from kafka_setup.connection.options import login_options, option
from kafka_setup.connection.passwords import login_file
from kafka_setup.connection.security import PASSWORD_MECHANISMS, uses_sasl

KAFKA_OPTIONS = (
    *login_options(
        PASSWORD_MECHANISMS,
        "The password comes from KAFKA_PASSWORD_FILE or KAFKA_PASSWORD, never from an option.",
    ),
    option(
        "--kafka-password-file",
        "KAFKA_PASSWORD_FILE",
        metavar="FILE",
        help="File on every TaskManager that contains only the password. Without it the "
        "TaskManagers read their environment variable KAFKA_PASSWORD.",
    ),
    option(
        "--kafka-ca-file",
        "KAFKA_CA_FILE",
        metavar="FILE",
        help="Certificate authority of the brokers (PEM), on every TaskManager.",
    ),
    option(
        "--kafka-property",
        "KAFKA_PROPERTY",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any other property of the Kafka producer; repeat it. Write secrets only as ${env:VARIABLE}.",
    ),
)


def take_kafka(values: dict[str, Any], role: str = "bridge", any_password: bool = False) -> KafkaSettings:
    """Pop the options of Kafka out of `values`. Raises KafkaSettingsError.

    `role`: the user, if none is named and WIN_EVENT_PASSWORD_DIR has its password. `any_password`: see
    KafkaSettings.
    """
    values = {**values, **_login_of(role, values)}
    return KafkaSettings(
        bootstrap_servers=values["kafka_bootstrap_servers"],
        security_protocol=values["kafka_security_protocol"],
        sasl_mechanism=values["kafka_sasl_mechanism"],
        username=values["kafka_username"],
        password_file=values["kafka_password_file"],
        ca_file=values["kafka_ca_file"],
        extra=tuple(_pair(text) for text in values["kafka_property"]),
        any_password=any_password,
    )


def print_description(kafka: KafkaSettings | None, check: bool, **description: object) -> None:
    """Print the description of a job as JSON; `win-event-stack submit` reads it before it starts a JVM.

    `listener`: the arguments for protocol_mismatch; null if nothing is to be checked.
    """
    listener = (
        {"bootstrap_servers": kafka.bootstrap_servers, "security_protocol": kafka.security_protocol}
        if kafka and check
        else None
    )
    click.echo(json.dumps({**description, "listener": listener}, ensure_ascii=False))


def examine(kafka: KafkaSettings, check: bool) -> None:
    """Print warnings about the settings; with `check`, exit with code 1 if only one side uses TLS.

    Called before Flink is loaded, because loading takes longer than this check.
    """
    for warning in kafka.warnings():
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    mismatch = protocol_mismatch(kafka.bootstrap_servers, kafka.security_protocol) if check else None
    if mismatch:
        click.secho(f"error: {mismatch}", fg="red", err=True)
        sys.exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise KafkaSettingsError(f"--kafka-property {text!r}: expected NAME=VALUE")
    return name, value


def _login_of(role: str, values: dict[str, Any]) -> dict[str, str]:
    """The login from the folder WIN_EVENT_PASSWORD_DIR, which `win-event-stack env` sets.

    TaskManagers read it, too.
    """
    user = values["kafka_username"] or role
    by_password = uses_sasl(values["kafka_security_protocol"])
    file = login_file(os.environ, user) if by_password and not values["kafka_password_file"] else None
    return {"kafka_username": user, "kafka_password_file": str(file.resolve())} if file else {}
