"""Where the users' passwords come from: the environment, files, or made here. Never argv, never a log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from kafka_setup.atomic_file import write_atomically
from kafka_setup.connection.settings import (
    ConnectionSettingsError,
    Secret,
    read_password,
    read_password_file,
)
from kafka_setup.topology.resources import User


def known_passwords(
    users: Iterable[User], environment: Mapping[str, str], directory: Path | None = None
) -> dict[str, Secret]:
    """User name -> password: from VARIABLE, else the file VARIABLE_FILE names, else `directory`.

    Users without one are absent. Raises ConnectionSettingsError when a file that is there cannot be read.
    """
    found: dict[str, Secret] = {}
    for user in users:
        password = read_password(environment, user.password_variable) if user.password_variable else None
        if not password and directory is not None and password_file(directory, user.name).exists():
            password = read_password_file(password_file(directory, user.name))
        if password:
            found[user.name] = password
    return found


def login_file(environment: Mapping[str, str], user: str | None) -> Path | None:
    """The file in WIN_EVENT_PASSWORD_DIR that holds the password of `user`, where nothing else gives one.

    `win-event-stack env` names that folder, so that every tool can log in as the user that is made for it.
    """
    folder = environment.get("WIN_EVENT_PASSWORD_DIR")
    if not user or not folder or environment.get("KAFKA_PASSWORD") or environment.get("KAFKA_PASSWORD_FILE"):
        return None
    file = password_file(Path(folder), user)
    return file if file.is_file() else None


def password_file(directory: Path, user: str) -> Path:
    """A folder of passwords holds one file a user, called as the user is; only "/" becomes %2F."""
    return directory / user.replace("/", "%2F")


def new_password() -> Secret:
    """192 random bits in URL-safe letters: nothing in it needs quoting in JAAS, shells or properties."""
    return Secret(secrets.token_urlsafe(24))


def store_password(path: Path, password: Secret) -> None:
    """For the owner only, whole or not at all. Raises ConnectionSettingsError."""
    try:
        write_atomically(path, str(password), mode=0o600)  # no line break: some tools take the file as it is
    except OSError as error:
        raise ConnectionSettingsError(f"cannot write {path}: {error.strerror}") from error
