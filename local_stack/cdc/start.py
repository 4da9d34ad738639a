"""`up --cdc`: what is started, in which order, and what is told about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_stack import processes
from local_stack.cdc import postgres
from local_stack.layout import LOOPBACK, Stack

if TYPE_CHECKING:
    from local_stack.stack import Talk


def start_cdc(stack: Stack, talk: Talk) -> None:
    """Start what is not running yet. Raises StartError."""
    postgres.check_client()
    from local_stack.cdc import database

    where = f"{LOOPBACK}:{stack.postgres_port}"
    if processes.running(stack, postgres.NAME):
        talk.done(f"PostgreSQL is already running on {where}")
    else:
        talk.doing("starting PostgreSQL")
        postgres.start_postgres(stack)
        talk.done(f"PostgreSQL ready on {where}")
    talk.done(database.make_inventory(stack))
