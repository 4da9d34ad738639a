"""The difference between a topology and a cluster, as a list of changes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from kafka_setup.changes import obstacles
from kafka_setup.changes.values import same_value
from kafka_setup.topology.resources import (
    NO_CREDENTIAL,
    Acl,
    ClusterState,
    Topic,
    TopicState,
    Topology,
    User,
)

WITHOUT_USER = "not granted, as its user could not be made"

Identity = tuple[str, str, str]  # kind, name, key: what a change is about, whatever its action


@dataclass(frozen=True)
class Change:
    """One thing compared.

    `action`: create, change, exists, extra (in the cluster, not in the topology), remark (differs, and may
    stay so), blocked (only a person can do it; `detail` says how). `key` and `value`: of a topic setting.
    """

    action: str
    kind: str
    subject: Topic | User | Acl
    detail: str = ""
    key: str = ""
    value: str | None = None

    @property
    def name(self) -> str:
        return str(self.subject) if isinstance(self.subject, Acl) else self.subject.name

    @property
    def identity(self) -> Identity:
        return self.kind, self.name, self.key

    @property
    def pending(self) -> bool:
        return self.action in ("create", "change", "blocked")


@dataclass(frozen=True)
class Wishes:
    """What the caller asks for beyond the topology.

    `login`: the user this tool is logged in as; its own credential is never touched.
    `known`: users whose password is known. `generate`: missing passwords can be made.
    """

    login: str | None = None
    known: Collection[str] = ()
    generate: bool = False
    reset_passwords: bool = False


def plan(topology: Topology, state: ClusterState, wishes: Wishes | None = None) -> list[Change]:
    """Everything the topology names, in its order; then the permissions that it does not name."""
    wishes = wishes or Wishes()
    changes: list[Change] = []
    for topic in topology.topics:
        changes += _topic(topic, topology, state)
    users = [_user(user, state, wishes) for user in topology.users]
    changes += users
    if topology.acls and not state.has_authorizer:
        return [*changes, *_without_authorizer(topology)]
    missing = {user.name for user in users if user.action == "blocked"} - state.credentials.keys()
    changes += [_acl(acl, state, missing) for acl in topology.acls]
    changes += [
        Change("blocked", "deny", acl, detail)
        for acl in sorted(state.denied)
        if (detail := obstacles.denied(acl, topology))
    ]
    extra = sorted(state.acls - set(topology.acls))
    return changes + [Change("extra", "acl", acl, "not in the topology") for acl in extra]


def _without_authorizer(topology: Topology) -> Iterator[Change]:
    """One row for all permissions: none of them can be stored."""
    yield Change("blocked", "authorizer", topology.acls[0], obstacles.NO_AUTHORIZER)


def _acl(acl: Acl, state: ClusterState, missing: Collection[str]) -> Change:
    if obstacle := obstacles.permission(acl):
        return Change("blocked", "acl", acl, obstacle)
    if acl in state.acls:
        return Change("exists", "acl", acl)
    if acl.principal in {f"User:{name}" for name in missing}:
        return Change("blocked", "acl", acl, WITHOUT_USER)
    return Change("create", "acl", acl)


def _topic(topic: Topic, topology: Topology, state: ClusterState) -> Iterator[Change]:
    now = state.topics.get(topic.name)
    obstructed = obstacles.settings(topic, now)
    if now is None:
        yield _new_topic(topic, [obstacles.new_topic(topic, topology, state), *obstructed.values()])
        return
    differences = [
        *_partitions(topic, now),
        *_replication(topic, now),
        *_settings(topic, now, leave=obstructed),
        *(Change("blocked", "setting", topic, detail, key) for key, detail in obstructed.items()),
    ]
    as_wanted = f"{now.partitions} partitions, replication factor {now.replication_factor}"
    yield from differences or [Change("exists", "topic", topic, as_wanted)]


def _new_topic(topic: Topic, found: Sequence[str | None]) -> Change:
    if in_the_way := [obstacle for obstacle in found if obstacle]:
        return Change("blocked", "topic", topic, "; ".join(in_the_way))
    replication = topic.replication_factor or "the broker's default"
    return Change(
        "create", "topic", topic, f"{topic.partitions} partitions, replication factor {replication}"
    )


def _partitions(topic: Topic, now: TopicState) -> Iterator[Change]:
    if topic.partitions > now.partitions:
        warning = "a key may move to another partition: its order holds before and after, not across"
        detail = f"{now.partitions} → {topic.partitions}; {warning}"
        yield Change("change", "partitions", topic, detail)
    elif topic.partitions < now.partitions:
        detail = (
            f"{topic.name} has {now.partitions} partitions, the topology says {topic.partitions}: "
            "left as it is, Kafka takes none away"
        )
        yield Change("remark", "partitions", topic, detail)


def _replication(topic: Topic, now: TopicState) -> Iterator[Change]:
    if topic.replication_factor not in (None, now.replication_factor):
        detail = f"{now.replication_factor} → {topic.replication_factor}: use kafka-reassign-partitions.sh"
        yield Change("blocked", "replication", topic, detail)


def _settings(topic: Topic, state: TopicState, leave: Collection[str]) -> Iterator[Change]:
    for key, wanted in topic.config.items():
        now = state.config.get(key)
        if key in leave:
            continue
        if wanted is None and key in state.overrides:
            yield Change("change", "setting", topic, f"{key} {now} → the broker's default", key, None)
        elif wanted is not None and (now is None or not same_value(wanted, now)):
            yield Change("change", "setting", topic, f"{key} {now} → {wanted}", key, wanted)


def _user(user: User, state: ClusterState, wishes: Wishes) -> Change:
    wanted = f"{user.mechanism}, {user.iterations} iterations"
    if user.mechanism == NO_CREDENTIAL:
        return Change("exists", "user", user, "logs in by certificate or token: Kafka keeps no password")
    if user.name == wishes.login:
        return Change("exists", "user", user, "this login; its password is left alone")
    if obstacle := obstacles.mechanism(user, state):
        return Change("blocked", "user", user, obstacle)
    if user.mechanism not in state.credentials.get(user.name, {}):
        if user.name in wishes.known or wishes.generate:
            return Change("create", "user", user, wanted)
        return Change("blocked", "user", user, f"no password: {user.how_to_give_a_password}")
    return _existing_user(user, state, wishes, wanted)


def _existing_user(user: User, state: ClusterState, wishes: Wishes, wanted: str) -> Change:
    iterations = state.credentials[user.name][user.mechanism]
    right = state.logins.get(user.name)
    if right is False and wishes.reset_passwords:
        return Change("change", "user", user, "password reset")
    if right is False:
        here = f"{user.password_variable} or " if user.password_variable else ""
        detail = (
            f"the cluster has another password than {here}the file in --password-dir: "
            "correct that, or set the cluster's with --reset-passwords"
        )
        return Change("blocked", "user", user, detail)
    if iterations != user.iterations:
        detail = f"iterations {iterations} → {user.iterations}"
        if user.name in wishes.known:
            return Change("change", "user", user, detail)
        detail = f"{detail} needs the password: {user.how_to_give_a_password}"
        return Change("blocked", "user", user, detail)
    return Change("exists", "user", user, wanted if right else f"{wanted}; password not checked")
