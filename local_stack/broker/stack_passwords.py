"""The stack's own passwords: random, made once, one file each, readable by their owner only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kafka_setup.connection.broker_login import write_broker_login
from kafka_setup.connection.passwords import new_password, password_file, store_password
from local_stack.layout import Stack

SUPER_USER = "kafka"  # the broker itself; runs the first `apply` and nothing else
CONTROLLER = "controller"  # for connections between brokers


def ensure_passwords(directory: Path, users: Iterable[str]) -> None:
    """Make one file for the brokers themselves, and one for each of `users`."""
    for user in (SUPER_USER, CONTROLLER, *users):
        path = password_file(directory, user)
        if not path.exists():
            store_password(path, new_password())


def write_logins(stack: Stack, users: Iterable[str]) -> None:
    """Write the same passwords in the forms that Kafka's brokers, console tools and storage tool read."""
    write_broker_login(stack.secrets, stack.kafka_logins.parent, SUPER_USER, CONTROLLER, *users)
