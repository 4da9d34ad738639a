"""win-event-kafka-metrics: topics and consumer groups for Prometheus."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Any

import click
from prometheus_client import start_http_server

from kafka_setup.cli_options import take_topology, topology_options, wait_option
from kafka_setup.cluster_facts import read_facts
from kafka_setup.connection.options import kafka_connection_options, take_connection
from kafka_setup.connection.session import KafkaUnavailableError, open_admin
from kafka_setup.connection.settings import KafkaConnection
from kafka_setup.metrics import registry
from kafka_setup.topology.file import TopologyError
from kafka_setup.topology.resources import EVENTS, REJECTED


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="win-event-bridge")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="WIN_EVENT_METRICS_HOST",
    show_envvar=True,
    help="Address to listen on.",
)
@click.option(
    "--port",
    default=9308,
    show_default=True,
    type=click.IntRange(0, 65535),
    envvar="WIN_EVENT_METRICS_PORT",
    show_envvar=True,
    help="Port to listen on; 0 takes a free port and prints it.",
)
@topology_options
@wait_option
@kafka_connection_options
def main(host: str, port: int, wait: float, **values: Any) -> None:
    """Serve log offsets, newest timestamps and consumer lag to Prometheus, until stopped.

    The user needs DESCRIBE on the topics and groups that it shows. The topology says which topic has the
    events and which has the rejected lines (role: events, role: rejected); the alerts use this.

    \b
    Example:
      KAFKA_USERNAME=observer KAFKA_PASSWORD_FILE=secrets/observer win-event-kafka-metrics
    """
    # An interrupt instead of a flag: a handler that sets a flag could wait for a lock that the main thread
    # holds.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        roles = _roles(values)
        _serve(host, port, wait, take_connection(values, "observer"), roles)


def _roles(values: dict[str, Any]) -> dict[str, str]:
    """The roles of the topics of the topology that have one."""
    try:
        roles = {topic.name: topic.role for topic in take_topology(values).topics if topic.role}
    except TopologyError as error:
        raise click.ClickException(str(error)) from error
    for role in sorted({EVENTS, REJECTED} - set(roles.values())):
        click.echo(f"warning: no topic has `role: {role}` in the topology, so alerts miss it", err=True)
    return roles


def _serve(host: str, port: int, wait: float, connection: KafkaConnection, roles: dict[str, str]) -> None:
    """Serve until a KeyboardInterrupt, which also ends the wait for the broker."""
    try:
        admin = open_admin(connection, wait=wait, on_wait=lambda why: click.echo(f"waiting: {why}", err=True))
        server, thread = start_http_server(port, host, registry(lambda: read_facts(admin), roles))
    except KafkaUnavailableError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {error.strerror}; try another --port"
        ) from error
    click.echo(f"metrics on http://{host}:{server.server_port}/metrics", err=True)
    thread.join()
