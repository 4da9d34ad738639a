"""Changes the cluster to match the topology: sends all requests, then waits until the cluster shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kafka_setup.changes.admin_requests import request_all, request_trial
from kafka_setup.changes.change import Change, Identity, Wishes
from kafka_setup.changes.plan import WITHOUT_USER, plan
from kafka_setup.changes.state import read_state, with_logins
from kafka_setup.connection.passwords import new_password, password_file, store_password
from kafka_setup.connection.session import DEFAULT_WAIT, LATE, OnWait, open_admin, refusal, until_none_missing
from kafka_setup.connection.settings import KafkaConnection, Secret
from kafka_setup.topology.resources import Acl, ClusterState, Result, Topology, User

_DONE = {"create": "created", "change": "changed"}


@dataclass(frozen=True)
class ApplySettings:
    """The settings of `apply`.

    `passwords`: user name -> password. `password_dir`: the folder for newly made passwords. `prune` removes
    permissions of the topology's users that the topology does not name.
    """

    topology: Topology
    connection: KafkaConnection
    passwords: Mapping[str, Secret] = field(default_factory=dict)
    password_dir: Path | None = None
    reset_passwords: bool = False
    prune: bool = False
    wait: float = DEFAULT_WAIT

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            login=self.connection.username,
            known=frozenset(self.passwords),
            generate=self.password_dir is not None,
            reset_passwords=self.reset_passwords,
        )


def compare(settings: ApplySettings, admin: AdminClient) -> list[Change]:
    """The difference, after a login with every known password, and with the broker's answer to each change.

    Raises KafkaException.
    """
    changes = plan(settings.topology, _state(settings, admin), settings.wishes)
    pending = {i: change for i, change in enumerate(changes) if change.action in _DONE}
    for index, answer in request_trial(admin, pending).items():
        if reason := _refused(answer):
            changes[index] = replace(changes[index], action="blocked", detail=reason)
    return changes


def _refused(trial: Future[Any]) -> str | None:
    """Why the broker would refuse this change, apart from a missing permission: apply finds that."""
    try:
        trial.result()
    except KafkaException as error:
        if not error.args[0].name().endswith("_AUTHORIZATION_FAILED"):
            return refusal(error.args[0])
    return None


def apply(settings: ApplySettings, on_wait: OnWait | None = None) -> list[Result]:
    """One result for each object: created, changed, exists, remark, removed, extra or failed.

    Raises KafkaUnavailableError if there is no working connection, NotAllowedError or KafkaException if the
    cluster cannot be read.
    """
    admin = open_admin(settings.connection, wait=settings.wait, on_wait=on_wait)
    changes = compare(settings, admin)
    settings = _make_passwords(settings, changes)
    return _until_visible(settings, admin, changes, _make(settings, admin, changes))


def _make(settings: ApplySettings, admin: AdminClient, changes: list[Change]) -> list[Result]:
    """Topics and users first: a user that could not be made gets no permissions."""
    results: dict[int, Result] = {}
    for acls in (False, True):
        failed = {result.name for result in results.values() if result.kind == "user" and result.failed}
        missing = {f"User:{name}" for name in failed}
        turn = {
            index: replace(change, action="blocked", detail=WITHOUT_USER)
            if isinstance(change.subject, Acl) and change.subject.principal in missing and change.pending
            else change
            for index, change in enumerate(changes)
            if isinstance(change.subject, Acl) == acls
        }
        wanted = {i: change for i, change in turn.items() if _is_wanted(change, settings)}
        futures = request_all(admin, wanted, settings.passwords)
        results |= {i: _result(change, futures.get(i), settings) for i, change in turn.items()}
    return [results[index] for index in range(len(changes))]


def _make_passwords(settings: ApplySettings, changes: list[Change]) -> ApplySettings:
    """Write new passwords to files before the cluster gets them, so that none can be lost."""
    if settings.password_dir is None:
        return settings
    passwords = dict(settings.passwords)
    for change in changes:
        user = change.subject
        if change.action == "create" and isinstance(user, User) and user.name not in passwords:
            passwords[user.name] = new_password()
            store_password(password_file(settings.password_dir, user.name), passwords[user.name])
    return replace(settings, passwords=passwords)


def _is_wanted(change: Change, settings: ApplySettings) -> bool:
    return change.action in _DONE or (change.action == "extra" and settings.prune)


def _result(change: Change, future: Future[Any] | None, settings: ApplySettings) -> Result:
    if future is None:
        status = "failed" if change.action == "blocked" else change.action
        return Result(status, change.kind, change.name, change.detail)
    try:
        future.result()
    except KafkaException as error:
        detail = refusal(error.args[0])
        if error.args[0].name().endswith("_AUTHORIZATION_FAILED"):
            login = settings.connection.username or "this login"
            detail += f" {login} may not do this; log in as a super user, or as the topology's admin"
        return Result("failed", change.kind, change.name, detail)
    return Result(_DONE.get(change.action, "removed"), change.kind, change.name, change.detail)


def _until_visible(
    settings: ApplySettings, admin: AdminClient, changes: list[Change], results: list[Result]
) -> list[Result]:
    """Wait until the cluster shows its changes: KRaft answers before every broker knows them."""
    accepted = {
        change.identity
        for change, result in zip(changes, results, strict=True)
        if result.status in ("created", "changed", "removed")
    }
    missing = until_none_missing(
        lambda: accepted & _outstanding(plan(settings.topology, _state(settings, admin), settings.wishes))
    )
    return [
        replace(result, status="failed", detail=LATE) if change.identity in missing else result
        for change, result in zip(changes, results, strict=True)
    ]


def _outstanding(changes: Iterable[Change]) -> set[Identity]:
    return {change.identity for change in changes if change.pending or change.action == "extra"}


def _state(settings: ApplySettings, admin: AdminClient) -> ClusterState:
    return with_logins(
        read_state(admin, settings.topology),
        settings.topology.users,
        settings.passwords,
        settings.connection,
    )
