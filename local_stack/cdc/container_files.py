"""Writes the first files of the inventory's containers, without passwords on command lines or in the
environment.

`python -m local_stack.cdc.container_files PASSWORDS SCHEMA SQL_FOLDER SECRETS_FOLDER SEED HOSTS` writes it.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from kafka_setup.connection.jaas import escape
from kafka_setup.connection.scram import salted_password, server_key, stored_key
from kafka_setup.connection.settings import Secret, read_password_file
from local_stack.cdc import inventory
from toolkit.atomic_file import write_atomically

ITERATIONS = 4096
_MECHANISM = "SCRAM-SHA-256"  # PostgreSQL has no other
_ROLES = {
    "inventory": "inventory",
    "connect": "inventory_connect",
}  # role of the database -> file of its password


def write_files(passwords: Path, schema: Path, sql: Path, secrets: Path, seed: int, hosts: int) -> None:
    """Write the files.

    `sql`/inventory.sql: tables, roles with their logins, rows. `secrets`: the two passwords of Connect.
    Raises ConnectionSettingsError, OSError.
    """
    known = {role: read_password_file(passwords / file) for role, file in _ROLES.items()}
    logins = [f"ALTER ROLE {role} PASSWORD '{verifier(password)}';" for role, password in known.items()]
    made = inventory.hosts_of(seed, hosts)
    rows = [
        *_copy("computers", inventory.Computer._fields, inventory.computers(made)),
        *_copy("accounts", inventory.Account._fields, inventory.accounts(made)),
    ]
    text = "\n".join([schema.read_text(encoding="utf-8"), *logins, *rows, ""])
    write_atomically(sql / "inventory.sql", text, mode=0o644)  # the database runs as another user
    write_atomically(secrets / "connect", escape(read_password_file(passwords / "connect")), mode=0o600)
    write_atomically(secrets / "inventory_connect", str(known["connect"]), mode=0o600)


def verifier(password: Secret) -> str:
    """The form in which PostgreSQL stores a password: that of RFC 5803, with a new salt."""
    salt = os.urandom(16)
    salted = salted_password(_MECHANISM, password, salt, ITERATIONS)
    stored, server = stored_key(_MECHANISM, salted), server_key(_MECHANISM, salted)
    salt64, stored64, server64 = (base64.b64encode(each).decode() for each in (salt, stored, server))
    return f"{_MECHANISM}${ITERATIONS}:{salt64}${stored64}:{server64}"


def _copy(table: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """A COPY statement with its rows, in the text form."""
    lines = ["\t".join([*map(_text, row), inventory.SINCE_EVER]) for row in rows]
    return [f"COPY inventory.{table} ({', '.join([*columns, 'valid_from'])}) FROM stdin;", *lines, "\\."]


def _text(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


if __name__ == "__main__":
    _passwords, _schema, _sql, _secrets = map(Path, sys.argv[1:5])
    _seed, _hosts = map(int, sys.argv[5:])
    write_files(_passwords, _schema, _sql, _secrets, _seed, _hosts)
