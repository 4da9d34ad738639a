"""win-event-stack up: which parts to start, on which ports, and which options may change later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from local_stack import cache, console, processes, shell_environment, stack
from local_stack.cluster import sql_gateway
from local_stack.layout import Stack
from local_stack.terminal import TerminalReporter, current_stack, errors_told

_PARTS = click.Choice(stack.PARTS)


@click.command()
@click.option("--only", type=_PARTS, help="Start only this part.")
@click.option(
    "--topology",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    envvar="WIN_EVENT_TOPOLOGY",
    show_envvar=True,
    metavar="FILE",
    help="File with your own topics and users (win-event-kafka-setup init writes one).",
)
@click.option("--kafka-port", type=int, help="Port of the broker (9092).")
@click.option("--controller-port", type=int, help="Port of the broker's controller (9093).")
@click.option("--flink-port", type=int, help="Port of Flink's web UI and REST API (8081).")
@click.option("--jobmanager-port", type=int, help="Port of the JobManager for TaskManagers (6123).")
@click.option(
    "--taskmanagers", type=click.IntRange(1, 16), help="Number of TaskManagers, with 4 slots each (1)."
)
@click.option(
    "--brokers",
    type=click.IntRange(1, 5),
    help="Number of brokers (1); with 3 or more, every topic has 3 replicas, and 2 must be in sync.",
)
@click.option(
    "--tls/--no-tls", default=None, help="Use SASL_SSL everywhere, with a new certificate authority."
)
@click.option("--sql/--no-sql", default=None, help="Also start Flink's SQL Gateway, for win-event-stack sql.")
@click.option("--sql-port", type=int, help="Port of the SQL Gateway (8083).")
@click.option(
    "--s3/--no-s3", default=None, help="Let Flink write to S3, with the AWS_ keys of this environment."
)
@click.option("--s3-endpoint", metavar="URL", help="An S3 server other than Amazon's.")
@click.option(
    "--observe/--no-observe", default=None, help="Also start Prometheus, which monitors everything."
)
@click.option("--prometheus-port", type=int, help="Port of Prometheus (9090).")
@click.option("--metrics-port", type=int, help="First of the ports for metrics (9400).")
@click.option("--console/--no-console", default=None, help="Also start win-event-console, the live page.")
@click.option("--console-port", type=int, help="Port of the console (8085).")
@click.option(
    "--cache/--no-cache",
    default=None,
    help="Also start a Valkey server, in which the console stores its answers.",
)
@click.option("--cache-port", type=int, help="Port of the Valkey server (6379).")
@click.option(
    "--cdc/--no-cdc",
    default=None,
    help="Also start the inventory: PostgreSQL, and Kafka Connect, which reads its changes.",
)
@click.option("--postgres-port", type=int, help="Port of the inventory's PostgreSQL (5432).")
@click.option("--connect-port", type=int, help="Port of Kafka Connect's REST API (8084).")
@click.option(
    "--inventory-hosts",
    type=click.IntRange(1, 10_000),
    help="Number of computers in the new inventory (10), like the producer's --hosts.",
)
@click.option(
    "--inventory-seed",
    type=click.IntRange(0),
    help="Seed for the people in the new inventory (1), like the producer's --seed.",
)
@click.option(
    "--producer-metrics",
    metavar="HOST:PORT",
    help="Address of win-event-producer's metrics (127.0.0.1:9998).",
)
def up(only: str | None, **changes: Any) -> None:
    """Start what is not running yet: jars, broker, topics and users, Flink.

    \b
    Examples:
      win-event-stack up
      win-event-stack up --only kafka --kafka-port 19092
      win-event-stack up --tls --brokers 3
      win-event-stack up --observe --sql --console
      win-event-stack up --cdc
    """
    reporter = TerminalReporter()
    with errors_told(reporter):
        wanted = _with_changes(current_stack(), {k: v for k, v in changes.items() if v is not None})
        stack.up(wanted, (only,) if only else stack.PARTS, reporter)
    click.echo(
        f"To add flink and Kafka's own tools to your shell:\n{shell_environment.how_to_enter(wanted)}",
        err=True,
    )


# Settings that may change while the stack runs, and the daemon that fixes each once it runs.
_MAY_COME_LATER = {
    "topology": None,
    "sql": None,
    "sql_port": sql_gateway.NAME,
    "console": None,
    "console_port": console.NAME,
    "cache": console.NAME,  # a running console would not get it
    "cache_port": cache.NAME,
    "cdc": None,
    "postgres_port": "postgres",
    "inventory_hosts": "postgres",
    "inventory_seed": "postgres",
    "connect_port": "connect",
}


def _with_changes(current: Stack, changes: dict[str, Any]) -> Stack:
    """The stack with the new options. The ports of running parts cannot change. Raises StartError."""
    wanted = replace(current, **changes)
    names = [daemon.name for daemon in processes.recorded(current) if daemon.process()]
    later = [name for name, daemon in _MAY_COME_LATER.items() if daemon not in names]
    if names and replace(wanted, **{name: getattr(current, name) for name in later}) != current:
        raise processes.StartError(
            f"{', '.join(names)} already running with other settings. First: win-event-stack down"
        )
    return wanted
