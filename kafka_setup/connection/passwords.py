"""The users' passwords: from the environment, from files, or newly made. Never in argv, never in a log.

This module, and what it imports, needs only Python: scripts/compose-secrets runs without installed packages.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from kafka_setup.connection.settings import (
    ConnectionSettingsError,
    Secret,
    read_password,
    read_password_file,
)
from kafka_setup.topology.resources import User
from toolkit.atomic_file import write_atomically


def known_passwords(
    users: Iterable[User], environment: Mapping[str, str], directory: Path | None = None
) -> dict[str, Secret]:
    """User name -> password: from VARIABLE, else the file VARIABLE_FILE names, else `directory`.

    Users without one are left out. Raises ConnectionSettingsError if an existing file cannot be read.
    """
    found: dict[str, Secret] = {}
    for user in users:
        password = read_password(environment, user.password_variable) if user.password_variable else None
        if not password and directory is not None and password_file(directory, user.name).exists():
            password = read_password_file(password_file(directory, user.name))
        if password:
            found[user.name] = password
    return found


def login_file(
    environment: Mapping[str, str], user: str | None, directory: Path | None = None
) -> Path | None:
    """The file in `directory`, or else in WIN_EVENT_PASSWORD_DIR, with the password of `user`.

    None if there is none, or if a variable gives the password. `win-event-stack env` sets that folder, so
    that every tool can log in as its own user.
    """
    folder = directory or environment.get("WIN_EVENT_PASSWORD_DIR")
    if not user or not folder or environment.get("KAFKA_PASSWORD") or environment.get("KAFKA_PASSWORD_FILE"):
        return None
    file = password_file(Path(folder), user)
    return file if file.is_file() else None


def password_file(directory: Path, user: str) -> Path:
    """A folder of passwords has one file per user, with the name of the user; only "/" becomes %2F."""
    return directory / user.replace("/", "%2F")


def new_password() -> Secret:
    """192 random bits in 32 letters, digits, - and _, which JAAS, shells and properties need not quote."""
    return Secret(secrets.token_urlsafe(24))


def store_password(path: Path, password: Secret) -> None:
    """Write the file, readable only by its owner, completely or not at all.

    Raises ConnectionSettingsError.
    """
    try:
        write_atomically(path, str(password), mode=0o600)  # no line break: some tools read the file unchanged
    except OSError as error:
        raise ConnectionSettingsError(f"cannot write {path}: {error.strerror}") from error
