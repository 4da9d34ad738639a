"""Topics, users and permissions as values. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kafka_setup.connection.security import DEFAULT_MECHANISM

NO_CREDENTIAL = "none"  # users that log in by certificate or token: Kafka stores no credential for them
EVENTS, REJECTED = "events", "rejected"  # the purpose of a topic, for other parts of the toolkit
MINIMUM_ITERATIONS = 8192  # twice Kafka's own floor; the broker refuses more than 16384
MAXIMUM_ITERATIONS = 16384
CLUSTER_NAME = "kafka-cluster"  # Kafka's only resource name of type cluster


@dataclass(frozen=True)
class Topic:
    """A topic; `replication_factor` None means the broker's default.replication.factor.

    A setting with the value None is reset to the broker's default. Settings that are not named stay
    unchanged. `role`: EVENTS or REJECTED for the two topics that the bridge writes.
    """

    name: str
    partitions: int
    replication_factor: int | None = None
    config: Mapping[str, str | None] = field(default_factory=dict)
    role: str = ""


@dataclass(frozen=True, order=True)
class Acl:
    """One permission: `principal` may do `operation` on the resource, from `host`.

    `resource_type`: topic, group, transactional_id or cluster. `pattern`: literal or prefixed.
    """

    principal: str
    resource_type: str
    pattern: str
    name: str
    operation: str
    host: str = "*"

    @property
    def resource(self) -> str:
        if self.resource_type == "cluster":
            return "cluster"
        return f"{self.resource_type} {self.name}{'*' if self.pattern == 'prefixed' else ''}"

    def __str__(self) -> str:
        origin = "" if self.host == "*" else f" from {self.host}"
        return f"{self.principal} {self.operation} {self.resource}{origin}"


@dataclass(frozen=True)
class User:
    """A user and its permissions.

    Its password is in the environment variable `password_variable`, or VARIABLE_FILE; empty if no variable
    can have the name of the user. `mechanism` NO_CREDENTIAL: Kafka stores no password for this user.
    """

    name: str
    password_variable: str
    acls: tuple[Acl, ...] = ()
    purpose: str = ""
    mechanism: str = DEFAULT_MECHANISM
    iterations: int = MINIMUM_ITERATIONS

    @property
    def principal(self) -> str:
        return f"User:{self.name}"

    @property
    def how_to_give_a_password(self) -> str:
        """The ways to give the password, as text for a message."""
        if not self.password_variable:
            return "give --password-dir; no shell variable can be called after this user"
        return f"set {self.password_variable} or {self.password_variable}_FILE, or give --password-dir"


@dataclass(frozen=True)
class Topology:
    """Everything that should exist."""

    topics: tuple[Topic, ...]
    users: tuple[User, ...]

    def user(self, name: str) -> User:
        """The user with this name. Raises KeyError if the topology has none."""
        for user in self.users:
            if user.name == name:
                return user
        raise KeyError(name)

    @property
    def acls(self) -> tuple[Acl, ...]:
        return tuple(acl for user in self.users for acl in user.acls)

    def with_idempotent_write(self) -> Topology:
        """The topology with IDEMPOTENT_WRITE, for managed clusters that still require it.

        Kafka itself does not since 2.8.
        """
        return replace(self, users=tuple(map(_with_idempotent_write, self.users)))


def _with_idempotent_write(user: User) -> User:
    if not any(acl.resource_type == "topic" and acl.operation == "WRITE" for acl in user.acls):
        return user
    permission = Acl(user.principal, "cluster", "literal", CLUSTER_NAME, "IDEMPOTENT_WRITE")
    return replace(user, acls=(*user.acls, permission))


@dataclass(frozen=True)
class TopicState:
    """A topic as the cluster has it; `config` holds the settings in force, `overrides` the topic's own."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str]
    overrides: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ClusterState:
    """What exists, as far as the topology names it, and what the cluster can do at all.

    `credentials`: user -> mechanism -> iterations. `logins`: user -> whether the password we know logs in;
    a user whose password is not known is absent. `denied`: DENY rules against the topology's users or
    everybody. `topic_names`: all topics that this login sees. `brokers`: 0 when nobody counted them.
    `refused_mechanisms`: those that this listener does not offer -> those that it does, in words.
    `defaults`: the settings of a broker, which hold where a topic has none; empty where they may not be seen.
    """

    topics: Mapping[str, TopicState]
    credentials: Mapping[str, Mapping[str, int]]
    acls: frozenset[Acl]
    logins: Mapping[str, bool] = field(default_factory=dict)
    denied: frozenset[Acl] = frozenset()
    topic_names: frozenset[str] = frozenset()
    brokers: int = 0
    has_authorizer: bool = True
    refused_mechanisms: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """One row of a command's answer. `status` is the command's own word; "failed" makes it exit 1."""

    status: str
    kind: str
    name: str
    detail: str = ""

    @property
    def failed(self) -> bool:
        return self.status == "failed"
