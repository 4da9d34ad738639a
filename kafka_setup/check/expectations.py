"""The operations that every user of a topology must be able to do, and those that must be refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kafka_setup.topology.resources import CLUSTER_NAME, Acl, Topology, User

# What `check` tries, by type of resource. Each has a probe in probes.py.
OPERATIONS = {
    "topic": (
        "DESCRIBE", "READ", "WRITE", "CREATE", "ALTER", "DELETE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS",
    ),
    "group": ("READ",),
    "transactional_id": ("WRITE",),
    "cluster": ("DESCRIBE", "ALTER"),
}  # fmt: skip

REFUSALS = {
    "topic": "TOPIC_AUTHORIZATION_FAILED",
    "group": "GROUP_AUTHORIZATION_FAILED",
    "transactional_id": "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "cluster": "CLUSTER_AUTHORIZATION_FAILED",
}

# Kafka's implied operations, from StandardAuthorizerData: one of these is enough.
_IMPLIED_BY = {
    "DESCRIBE": {"READ", "WRITE", "DELETE", "ALTER"},
    "DESCRIBE_CONFIGS": {"ALTER_CONFIGS"},
}


@dataclass(frozen=True)
class Expectation:
    """One attempt: `user` tries `operation` on the resource. `allowed`: whether the topology allows it."""

    user: User
    resource_type: str
    name: str
    operation: str
    allowed: bool

    @property
    def refusal(self) -> str:
        return REFUSALS[self.resource_type]

    def __str__(self) -> str:
        resource = "cluster" if self.resource_type == "cluster" else f"{self.resource_type} {self.name}"
        return f"{self.user.name} {self.operation} {resource}"


def expectations(topology: Topology, user: User, token: str) -> list[Expectation]:
    """Every operation on every resource of the topology, and on others (whose names contain `token`)."""
    return [
        Expectation(user, kind, name, operation, allows(user.acls, kind, name, operation))
        for kind, name in _resources(topology, token)
        for operation in OPERATIONS[kind]
        if not (kind == "topic" and name.endswith(token) and operation != "CREATE")
    ]


def allows(acls: Iterable[Acl], resource_type: str, name: str, operation: str) -> bool:
    """Whether the permissions cover the operation, by the rules of Kafka's authorizer."""
    sufficient = {operation, "ALL"} | _IMPLIED_BY.get(operation, set())
    for acl in acls:
        if acl.operation in sufficient and acl.resource_type == resource_type and _matches(acl, name):
            return True
        creates = operation == "CREATE" and acl.operation in ("CREATE", "ALL")
        if creates and acl.resource_type == "cluster" and resource_type == "topic":
            return True
    return False


def _matches(acl: Acl, name: str) -> bool:
    if acl.pattern == "prefixed":
        return name.startswith(acl.name)
    return acl.name in (name, "*")


def _resources(topology: Topology, token: str) -> Iterator[tuple[str, str]]:
    """(type, name), each once: the topology's topics, a name under every granted group, and so on."""
    for topic in topology.topics:
        yield "topic", topic.name
    yield "topic", token  # only its creation is tried, and that only as a validation
    for kind in ("group", "transactional_id"):
        granted = {sample_name(acl, token) for acl in topology.acls if acl.resource_type == kind}
        for name in sorted(granted | {token}):
            yield kind, name
    yield "cluster", CLUSTER_NAME


def sample_name(acl: Acl, token: str) -> str:
    """A name the permission covers."""
    if acl.name == "*":
        return token
    return acl.name + token if acl.pattern == "prefixed" else acl.name
