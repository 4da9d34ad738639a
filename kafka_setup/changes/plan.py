"""The difference between a topology and a cluster, as a list of changes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kafka_setup.topology.resources import Acl, ClusterState, Topic, TopicState, Topology, User

Identity = tuple[str, str, str]  # kind, name, key: what a change is about, whatever its action


@dataclass(frozen=True)
class Change:
    """One thing compared.

    `action`: create, change, exists, extra (in the cluster, not in the topology), blocked (only a person
    can do it; `detail` says how). `key` and `value` are set for a topic setting.
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
        changes += _topic(topic, state.topics.get(topic.name))
    changes += [_user(user, state, wishes) for user in topology.users]
    changes += [Change("exists" if acl in state.acls else "create", "acl", acl) for acl in topology.acls]
    extra = sorted(state.acls - set(topology.acls))
    return changes + [Change("extra", "acl", acl, "not in the topology") for acl in extra]


def _topic(topic: Topic, state: TopicState | None) -> Iterator[Change]:
    if state is None:
        replication = topic.replication_factor or "the broker's default"
        yield Change(
            "create", "topic", topic, f"{topic.partitions} partitions, replication factor {replication}"
        )
        return
    differences = [*_partitions(topic, state), *_replication(topic, state), *_settings(topic, state)]
    if differences:
        yield from differences
    else:
        yield Change(
            "exists",
            "topic",
            topic,
            f"{state.partitions} partitions, replication factor {state.replication_factor}",
        )


def _partitions(topic: Topic, state: TopicState) -> Iterator[Change]:
    difference = f"{state.partitions} → {topic.partitions}"
    if topic.partitions > state.partitions:
        warning = "a key may move to another partition: its order holds before and after, not across"
        yield Change("change", "partitions", topic, f"{difference}; {warning}")
    elif topic.partitions < state.partitions:
        yield Change(
            "blocked",
            "partitions",
            topic,
            f"{difference}: Kafka cannot take partitions away; write {state.partitions}",
        )


def _replication(topic: Topic, state: TopicState) -> Iterator[Change]:
    if topic.replication_factor not in (None, state.replication_factor):
        yield Change(
            "blocked",
            "replication",
            topic,
            f"{state.replication_factor} → {topic.replication_factor}: use kafka-reassign-partitions.sh",
        )


def _settings(topic: Topic, state: TopicState) -> Iterator[Change]:
    for key, wanted in topic.config.items():
        now = state.config.get(key)
        if wanted is None and key in state.overrides:
            yield Change("change", "setting", topic, f"{key} {now} → the broker's default", key, None)
        elif wanted is not None and wanted != now:
            yield Change("change", "setting", topic, f"{key} {now} → {wanted}", key, wanted)


def _user(user: User, state: ClusterState, wishes: Wishes) -> Change:
    wanted = f"{user.mechanism}, {user.iterations} iterations"
    if user.name == wishes.login:
        return Change("exists", "user", user, "this login; its password is left alone")
    if user.mechanism not in state.credentials.get(user.name, {}):
        if user.name in wishes.known or wishes.generate:
            return Change("create", "user", user, wanted)
        return Change("blocked", "user", user, f"no password: {_where(user)}, or give --password-dir")
    return _existing_user(user, state, wishes, wanted)


def _existing_user(user: User, state: ClusterState, wishes: Wishes, wanted: str) -> Change:
    iterations = state.credentials[user.name][user.mechanism]
    right = state.logins.get(user.name)
    if right is False and wishes.reset_passwords:
        return Change("change", "user", user, "password reset")
    if right is False:
        return Change(
            "blocked",
            "user",
            user,
            f"the cluster has another password than {user.password_variable}: correct the variable, "
            "or set the cluster's with --reset-passwords",
        )
    if iterations != user.iterations:
        detail = f"iterations {iterations} → {user.iterations}"
        if user.name in wishes.known:
            return Change("change", "user", user, detail)
        return Change("blocked", "user", user, f"{detail} needs the password: {_where(user)}")
    return Change("exists", "user", user, wanted if right else f"{wanted}; password not checked")


def _where(user: User) -> str:
    return f"set {user.password_variable} or {user.password_variable}_FILE"
