"""The options that every command of win-event-kafka-setup shares, as one value."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from kafka_setup.connection.options import kafka_connection_options, take_connection
from kafka_setup.connection.passwords import known_passwords
from kafka_setup.connection.session import DEFAULT_WAIT
from kafka_setup.connection.settings import KafkaConnection, Secret
from kafka_setup.defaults import EVENTS_TOPIC, REJECTED_TOPIC
from kafka_setup.topology.file import (
    default_topology_text,
    load_topology,
    parse_topology,
    renamed_topics,
)
from kafka_setup.topology.resources import Topology
from toolkit.options import FiniteFloat

Command = TypeVar("Command", bound=Callable[..., Any])

_topology_file_option = click.option(
    "--topology",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="WIN_EVENT_TOPOLOGY",
    show_envvar=True,
    metavar="FILE",
    help="File with the wanted topics, users and permissions. Default: the file that `init` copies.",
)
_topic_name_options = (
    click.option(
        "--kafka-topic",
        default=EVENTS_TOPIC,
        show_default=True,
        envvar="KAFKA_TOPIC",
        show_envvar=True,
        metavar="NAME",
        help="Name of the topic for events, as in the job. With --topology FILE, the file has the names.",
    ),
    click.option(
        "--kafka-rejected-topic",
        default=REJECTED_TOPIC,
        show_default=True,
        envvar="KAFKA_REJECTED_TOPIC",
        show_envvar=True,
        metavar="NAME",
        help="Name of the topic for rejected lines.",
    ),
)
wait_option = click.option(
    "--wait",
    type=FiniteFloat(min=0),
    default=DEFAULT_WAIT,
    show_default=True,
    envvar="WIN_EVENT_KAFKA_WAIT",
    show_envvar=True,
    metavar="SECONDS",
    help="How long to wait for a broker that is still starting.",
)
_OPTIONS = (
    click.option(
        "--idempotent-write",
        is_flag=True,
        help="Also grant IDEMPOTENT_WRITE on the cluster to users that write; some managed clusters need it.",
    ),
    wait_option,
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object per row."),
    kafka_connection_options,
)
password_dir_option = click.option(
    "--password-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="WIN_EVENT_PASSWORD_DIR",
    show_envvar=True,
    metavar="DIR",
    help="Folder with the users' passwords, one file per user; without a user name, the command logs in as "
    "`admin` from there. `apply` and `rotate` write there, mode 0600.",
)


@dataclass(frozen=True)
class Setup:
    """The settings that every command needs."""

    topology: Topology
    connection: KafkaConnection
    passwords: dict[str, Secret]
    password_dir: Path | None
    wait: float
    as_json: bool


def topic_name_options(command: Command) -> Command:
    """Add the two names that `take_topology_text` reads."""
    for option in reversed(_topic_name_options):
        command = option(command)
    return command


def topology_options(command: Command) -> Command:
    """Add the options for the file and the two names; `take_topology` makes a Topology of their values."""
    return _topology_file_option(topic_name_options(command))


def setup_options(command: Command) -> Command:
    """Add the shared options; `take_setup` turns their values into a Setup."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return topology_options(command)


def take_topology_text(values: dict[str, Any]) -> str:
    """The built-in topology with the given names for the bridge's topics."""
    names = {
        EVENTS_TOPIC: values.pop("kafka_topic"),
        REJECTED_TOPIC: values.pop("kafka_rejected_topic"),
    }
    return renamed_topics(default_topology_text(), names)


def take_topology(values: dict[str, Any]) -> Topology:
    """The topology of the file, or else the built-in one with the given names. Raises TopologyError."""
    file, text = values.pop("topology"), take_topology_text(values)
    return load_topology(file) if file else parse_topology(text)


def take_setup(values: dict[str, Any]) -> Setup:
    """Pop the shared values out of `values`. Raises TopologyError, ConnectionSettingsError, UsageError."""
    topology = take_topology(values)
    if values.pop("idempotent_write"):
        topology = topology.with_idempotent_write()
    password_dir = values.pop("password_dir", None)
    return Setup(
        topology=topology,
        connection=take_connection(values, "admin", password_dir),
        passwords=known_passwords(topology.users, os.environ, password_dir),
        password_dir=password_dir,
        wait=values.pop("wait"),
        as_json=values.pop("as_json"),
    )
