"""The logins that a broker needs before its first start, in the forms that Kafka reads.

`python -m kafka_setup.connection.broker_login PASSWORDS FOLDER SUPER_USER [USER…]` writes them.
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

from kafka_setup.connection.jaas import escape
from kafka_setup.connection.passwords import password_file
from kafka_setup.connection.scram import salted_password
from kafka_setup.connection.security import DEFAULT_MECHANISM
from kafka_setup.connection.settings import Secret, read_password_file
from toolkit.atomic_file import write_atomically

ITERATIONS = 8192


def write_broker_login(passwords: Path, folder: Path, super_user: str, *others: str) -> None:
    """Write the logins of the users; `passwords` has a file with the password of each, named like the user.

    `folder`/secrets/USER: the password, escaped for a JAAS entry, into which Kafka's DirectoryConfigProvider
    inserts it unchanged. `folder`/SUPER_USER.scram: the salted password for `kafka-storage format --add-scram
    @FILE`. It allows a login like the password itself, so it must not be on a command line, either. Only the
    owner can read these files.
    Raises ConnectionSettingsError, OSError.
    """
    for user in (super_user, *others):
        password = read_password_file(password_file(passwords, user))
        write_atomically(password_file(folder / "secrets", user), escape(password), mode=0o600)
    password = read_password_file(password_file(passwords, super_user))
    write_atomically(scram_file(folder, super_user), scram_credential(super_user, password), mode=0o600)


def scram_file(folder: Path, super_user: str) -> Path:
    return folder / f"{super_user}.scram"


def scram_credential(user: str, password: Secret) -> str:
    """MECHANISM=[…] with RFC 5802's SaltedPassword, under a new salt."""
    salt = os.urandom(24)
    salted = salted_password(DEFAULT_MECHANISM, password, salt, ITERATIONS)
    return (
        f"{DEFAULT_MECHANISM}=[name={user},iterations={ITERATIONS},"
        f'salt="{_base64(salt)}",saltedpassword="{_base64(salted)}"]'
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


if __name__ == "__main__":
    write_broker_login(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
