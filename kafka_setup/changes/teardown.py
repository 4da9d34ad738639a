"""Removes exactly what the topology names, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kafka_setup.changes.admin_requests import request_removals
from kafka_setup.changes.change import Change, Identity
from kafka_setup.changes.state import read_state
from kafka_setup.connection.session import DEFAULT_WAIT, LATE, OnWait, open_admin, refusal, until_none_missing
from kafka_setup.connection.settings import KafkaConnection
from kafka_setup.topology.resources import ClusterState, Result, Topology, User


@dataclass(frozen=True)
class TeardownSettings:
    topology: Topology
    connection: KafkaConnection
    wait: float = DEFAULT_WAIT


def removals(topology: Topology, state: ClusterState, login: str | None) -> list[Change]:
    """The objects of the topology in the cluster: to remove, or (the login's own user) to keep. Pure."""
    own = f"User:{login}"
    topics = [
        Change("remove", "topic", topic, "with every record in it")
        for topic in topology.topics
        if topic.name in state.topics
    ]
    users = [_user(user, login) for user in topology.users if _exists(user, state)]
    acls = [
        Change("keep" if acl.principal == own else "remove", "acl", acl)
        for acl in topology.acls
        if acl in state.acls
    ]
    return [*topics, *users, *acls]


def _exists(user: User, state: ClusterState) -> bool:
    return user.mechanism in state.credentials.get(user.name, {})


def _user(user: User, login: str | None) -> Change:
    if user.name == login:
        return Change("keep", "user", user, "this login")
    return Change("remove", "user", user, user.mechanism)


def survey(settings: TeardownSettings, on_wait: OnWait | None = None) -> tuple[AdminClient, list[Change]]:
    """The objects that teardown would remove.

    Raises KafkaUnavailableError, NotAllowedError, KafkaException.
    """
    admin = open_admin(settings.connection, wait=settings.wait, on_wait=on_wait)
    return admin, _look(settings, admin)


def teardown(settings: TeardownSettings, admin: AdminClient, changes: list[Change]) -> list[Result]:
    """One result for each object: removed, kept or failed."""
    gone = {index: change.subject for index, change in enumerate(changes) if change.action == "remove"}
    futures = request_removals(admin, gone)
    results: dict[Identity, Result] = {}
    for index, change in enumerate(changes):
        future = futures.get(index)
        status, detail = ("kept" if future is None else "removed"), change.detail
        try:
            if future is not None:
                future.result()
        except KafkaException as error:
            status, detail = "failed", refusal(error.args[0])
        results[change.identity] = Result(status, change.kind, change.name, detail)
    removed = {identity for identity, result in results.items() if result.status == "removed"}
    left = until_none_missing(lambda: removed & {change.identity for change in _look(settings, admin)})
    for identity in left:
        results[identity] = Result("failed", identity[0], identity[1], LATE)
    return list(results.values())


def _look(settings: TeardownSettings, admin: AdminClient) -> list[Change]:
    return removals(settings.topology, read_state(admin, settings.topology), settings.connection.username)
