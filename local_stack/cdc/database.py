"""The inventory in PostgreSQL: creates and fills it once; and opens connections to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from kafka_setup.connection.settings import read_password_file
from local_stack import processes
from local_stack.cdc import inventory, postgres
from local_stack.layout import DEPLOY, Stack
from toolkit.addresses import LOOPBACK

DATABASE = "inventory"
SLOT = "inventory"
TABLES = ("computers", "accounts")
_SCHEMA = DEPLOY / "postgres" / "inventory.sql"


def open_database(stack: Stack, role: str, database: str = DATABASE) -> psycopg.Connection[Any]:
    """A connection as that role; each statement is a separate transaction. Raises StartError."""
    try:
        return psycopg.connect(
            host=LOOPBACK,
            port=stack.postgres_port,
            dbname=database,
            user=role,
            password=str(read_password_file(postgres.secret(stack, role))),
            connect_timeout=60,
            autocommit=True,
            application_name="win-event-stack",
        )
    except psycopg.OperationalError as error:
        raise processes.StartError(f"the database does not answer: {error}", _log(stack)) from error


def make_inventory(stack: Stack) -> str:
    """Create the database, its roles and its tables if they are missing; returns a line about it.

    Raises StartError.
    """
    _make_database(stack)
    with open_database(stack, postgres.SUPER_USER) as connection, connection.transaction():
        if connection.execute("SELECT to_regnamespace('inventory') IS NOT NULL").fetchone() == (True,):
            return "inventory: is there already"
        connection.execute(_SCHEMA.read_bytes())
        for role in (postgres.OWNER, postgres.READER):
            _set_password(connection, stack, role)
        hosts = inventory.hosts_of(stack.inventory_seed, stack.inventory_hosts)
        computers, accounts = inventory.computers(hosts), inventory.accounts(hosts)
        _fill(connection, "computers", inventory.Computer._fields, computers)
        _fill(connection, "accounts", inventory.Account._fields, accounts)
    return f"inventory: {len(computers)} computers and {len(accounts)} accounts"


def rows(stack: Stack, table: str) -> list[dict[str, Any]]:
    """Every row of a table. Raises StartError."""
    with open_database(stack, postgres.OWNER) as connection:
        cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def slot(stack: Stack) -> tuple[bool, int | None]:
    """Whether Connect reads now, and how many bytes of the database's log it has not confirmed yet.

    None if it has no slot. Raises StartError.
    """
    with open_database(stack, postgres.OWNER) as connection:
        found = connection.execute(
            "SELECT active, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint"
            " FROM pg_replication_slots WHERE slot_name = %s",
            [SLOT],
        ).fetchone()
    return (False, None) if found is None else (found[0], found[1])


def drop_slot(stack: Stack) -> None:
    """Delete Connect's position in the database; Connect must not be reading. Raises StartError."""
    processes.wait_for(lambda: not slot(stack)[0], 60.0, "Connect still reads from the database", _log(stack))
    with open_database(stack, postgres.READER) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
            [SLOT],
        )


def _make_database(stack: Stack) -> None:
    processes.wait_for(
        lambda: _ready(stack), 60.0, "the database is not ready", _log(stack)
    )  # it listens before its recovery has ended
    with open_database(stack, postgres.SUPER_USER, "postgres") as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _ready(stack: Stack) -> bool:
    try:
        open_database(stack, postgres.SUPER_USER, "postgres").close()
    except processes.StartError:
        return False
    return True


def _set_password(connection: psycopg.Connection[Any], stack: Stack, role: str) -> None:
    """Set the password of a role. Only its verifier is sent, so the password cannot get into a log."""
    password = str(read_password_file(postgres.secret(stack, role)))
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(verifier.decode())))


def _fill(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], found: Sequence[Sequence[object]]
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, [*columns, "valid_from"]))
    target = sql.Identifier("inventory", table)
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(target, names)) as copy,
    ):
        for row in found:
            copy.write_row([*row, inventory.SINCE_EVER])


def _log(stack: Stack) -> Any:
    return stack.logs / f"{postgres.NAME}.log"
