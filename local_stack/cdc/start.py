"""`up --cdc`: starts the parts of the inventory in order, and reports them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from local_stack import processes
from local_stack.cdc import connect, connector, postgres
from local_stack.layout import Stack
from toolkit.addresses import LOOPBACK

if TYPE_CHECKING:
    from local_stack.stack import Reporter


def start_cdc(stack: Stack, plugin: Sequence[Path], reporter: Reporter) -> None:
    """Start what is not running yet; `plugin`: Debezium's jars. Raises StartError."""
    postgres.check_client()
    from local_stack.cdc import database

    where = f"{LOOPBACK}:{stack.postgres_port}"
    if processes.running(stack, postgres.NAME):
        reporter.done(f"PostgreSQL is already running on {where}")
    else:
        reporter.doing("starting PostgreSQL")
        postgres.start_postgres(stack)
        reporter.done(f"PostgreSQL ready on {where}")
    reporter.done(database.make_inventory(stack))
    if processes.running(stack, connect.NAME):
        reporter.done(f"Kafka Connect is already running on {stack.connect_url}")
    else:
        reporter.doing("starting Kafka Connect")
        connect.start_connect(stack, plugin)
    reporter.doing("waiting for the connector of the inventory")
    connector.register(stack)
    connector.resume(stack)  # a reset that was interrupted leaves it stopped
    reporter.done(
        f"Kafka Connect ready on {stack.connect_url}; changes go to inventory.computers, inventory.accounts"
    )
