"""Tests a set-up: logs in as every user and tries what must work and what must be refused."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kafka_setup.changes.change import Wishes
from kafka_setup.changes.plan import plan
from kafka_setup.changes.state import as_user, logs_in, read_state
from kafka_setup.check.expectations import Expectation, expectations
from kafka_setup.check.probes import GROUP_ALLOWED, PROBES, Login, read_group
from kafka_setup.connection.passwords import new_password
from kafka_setup.connection.session import DEFAULT_WAIT, KafkaUnavailableError, OnWait, connect, open_admin
from kafka_setup.connection.settings import KafkaConnection, Secret
from kafka_setup.topology.resources import NO_CREDENTIAL, Result, Topology, User

SUPER_USER = "super user"
UNTRIED = "untried"


@dataclass(frozen=True)
class CheckSettings:
    """The settings of `check`.

    `passwords`: user name -> password. A user without one cannot be checked, which counts as a failure.
    """

    topology: Topology
    connection: KafkaConnection
    passwords: Mapping[str, Secret] = field(default_factory=dict)
    wait: float = DEFAULT_WAIT


def check(settings: CheckSettings, on_wait: OnWait | None = None) -> list[Result]:
    """One result for each attempt: ok, failed or untried. A difference from the topology is failed, too.

    Raises KafkaUnavailableError, NotAllowedError, KafkaException.
    """
    admin = open_admin(settings.connection, wait=settings.wait, on_wait=on_wait)
    state = read_state(admin, settings.topology)
    wishes = Wishes(login=settings.connection.username, known=frozenset(settings.passwords))
    differences = [
        Result("failed", change.kind, change.name, _difference(change.action, change.detail))
        for change in plan(settings.topology, state, wishes)
        if change.action not in ("exists", "remark")
    ]
    token = f"check-{secrets.token_hex(6)}"
    with ThreadPoolExecutor(max_workers=8) as pool:
        rows = list(pool.map(lambda user: _check_user(settings, user, token), settings.topology.users))
    return differences + [row for user_rows in rows for row in user_rows]


def _difference(action: str, detail: str) -> str:
    if action == "extra":
        return "granted, but not in the topology: apply --prune"
    return f"{detail or 'missing'}: apply" if action == "create" else detail


def _check_user(settings: CheckSettings, user: User, token: str) -> list[Result]:
    password = settings.passwords.get(user.name)
    connection = settings.connection
    if user.name != connection.username:
        if user.mechanism == NO_CREDENTIAL:
            return [Result(UNTRIED, "login", user.name, "logs in by certificate or token, which is not here")]
        if password is None:
            detail = f"no password: {user.how_to_give_a_password}"
            return [Result("failed", "login", user.name, detail)]
        connection = as_user(connection, user, password)
    try:
        login = Login(connect(connection), connection)
    except KafkaUnavailableError as error:
        return [Result("failed", "login", user.name, str(error))]
    rows = [Result("ok", "login", user.name, f"{connection.sasl_mechanism}"), _wrong_login(connection, user)]
    topic = settings.topology.topics[0].name if settings.topology.topics else "-"
    tried = [(wanted, _try(login, wanted, topic)) for wanted in expectations(settings.topology, user, token)]
    if user.name == settings.connection.username and _may_do_everything(tried):
        return [*rows, Result(SUPER_USER, "user", user.name, "the broker lets this login do everything")]
    return rows + [_judge(wanted, answer) for wanted, answer in tried]


def _wrong_login(connection: KafkaConnection, user: User) -> Result:
    if not connection.uses_sasl or connection.uses_oauth:
        return Result("ok", "login", user.name, f"no password over {connection.security_protocol}")
    if logs_in(connection, user, new_password()):
        return Result("failed", "login", user.name, "a wrong password is accepted")
    return Result("ok", "login", user.name, "a wrong password is refused")


def _try(login: Login, wanted: Expectation, topic: str) -> str:
    """ "allowed", or the broker's error."""
    if wanted.resource_type == "group":
        answer, allowed = read_group(login, wanted.name, topic), GROUP_ALLOWED
    else:
        probe, allowed = PROBES[wanted.resource_type, wanted.operation]
        answer = probe(login, wanted.name)
    return "allowed" if answer in allowed else answer


def _may_do_everything(tried: list[tuple[Expectation, str]]) -> bool:
    return all(answer == "allowed" for _, answer in tried)


def _judge(wanted: Expectation, answer: str) -> Result:
    if answer == ("allowed" if wanted.allowed else wanted.refusal):
        return Result("ok", "allowed" if wanted.allowed else "refused", str(wanted), _code(answer))
    if wanted.allowed:
        return Result("failed", "allowed", str(wanted), f"must work, but: {answer}")
    if answer == "allowed":
        return Result("failed", "refused", str(wanted), f"must give {wanted.refusal}, but is allowed")
    return Result("failed", "refused", str(wanted), f"must give {wanted.refusal}, but gives {answer}")


def _code(answer: str) -> str:
    return "" if answer == "allowed" else answer
