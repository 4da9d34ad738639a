"""Where the users' passwords come from: the environment, files, or made here. Never argv, never a log."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from kafka_setup.connection.settings import ConnectionSettingsError, Secret, read_password
from kafka_setup.topology.resources import User


def known_passwords(
    users: Iterable[User], environment: Mapping[str, str], directory: Path | None = None
) -> dict[str, Secret]:
    """User name -> password: from VARIABLE, else the file VARIABLE_FILE names, else `directory`.

    Users without one are absent. Raises ConnectionSettingsError when a named file cannot be read.
    """
    found: dict[str, Secret] = {}
    for user in users:
        password = read_password(environment, user.password_variable)
        if password is None and directory is not None and password_file(directory, user).exists():
            variable = {"PASSWORD_FILE": str(password_file(directory, user))}
            password = read_password(variable, "PASSWORD")
        if password:
            found[user.name] = password
    return found


def password_file(directory: Path, user: User) -> Path:
    return directory / f"{user.name}.password"


def new_password() -> Secret:
    """192 random bits in URL-safe letters: nothing in it needs quoting in JAAS, shells or properties."""
    return Secret(secrets.token_urlsafe(24))


def store_password(path: Path, password: Secret) -> None:
    """Writes it for the owner only, whole or not at all. Raises ConnectionSettingsError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(str(password))  # no line break: Kafka's config providers take the file as it is
        draft.replace(path)
    except OSError as error:
        raise ConnectionSettingsError(f"cannot write {path}: {error.strerror}") from error
