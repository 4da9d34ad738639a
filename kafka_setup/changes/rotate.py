"""Gives one user a new password and tests that it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kafka_setup.changes.admin_requests import set_password
from kafka_setup.changes.state import logs_in, read_state
from kafka_setup.connection.passwords import password_file, store_password
from kafka_setup.connection.session import (
    DEFAULT_WAIT,
    LATE,
    KafkaUnavailableError,
    OnWait,
    open_admin,
    until_none_missing,
)
from kafka_setup.connection.settings import KafkaConnection, Secret
from kafka_setup.topology.resources import NO_CREDENTIAL, Result, Topology, User


@dataclass(frozen=True)
class RotateSettings:
    """The user who gets a new password.

    `password`: the new one. `password_dir`: the folder whose file USER gets it, if given.
    """

    user: User
    password: Secret = field(repr=False)
    connection: KafkaConnection
    password_dir: Path | None = None
    wait: float = DEFAULT_WAIT


def rotate(
    settings: RotateSettings, on_wait: OnWait | None = None, on_set: Callable[[], None] = lambda: None
) -> Result:
    """Set the new password. Open connections stay open; the next login needs the new password.

    The new password is in .USER.new before the cluster gets it, and in USER when it works, so a crash in
    between loses neither. `on_set` is called when the cluster has accepted it, before it is tested.
    Raises KafkaUnavailableError, NotAllowedError, KafkaException.
    """
    user = settings.user
    admin = open_admin(settings.connection, wait=settings.wait, on_wait=on_wait)
    state = read_state(admin, Topology(topics=(), users=(user,)))
    if user.mechanism == NO_CREDENTIAL:
        return Result("failed", "user", user.name, "logs in by certificate or token: Kafka keeps no password")
    if user.mechanism not in state.credentials.get(user.name, {}):
        return Result("failed", "user", user.name, "does not exist in the cluster: apply creates it")
    kept = password_file(settings.password_dir, user.name) if settings.password_dir else None
    draft = kept.with_name(f".{kept.name}.new") if kept else None
    if draft is not None:
        store_password(draft, settings.password)
    set_password(admin, user, settings.password).result()
    on_set()
    try:
        late = until_none_missing(lambda: set() if _works(settings) else {user.name})
    except KafkaUnavailableError as error:
        return Result(
            "failed", "user", user.name, f"the new password is set, but could not be tested: {error}"
        )
    if late:
        return Result("failed", "user", user.name, LATE)
    if draft is not None and kept is not None:
        draft.replace(kept)
    return Result("changed", "user", user.name, f"new password, {user.mechanism}")


def _works(settings: RotateSettings) -> bool:
    if not settings.connection.uses_sasl:
        return True
    return logs_in(settings.connection, settings.user, settings.password)
