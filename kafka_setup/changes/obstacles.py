"""Problems of a topology: settings that Kafka would refuse, or accept although they cannot work. Pure.

Each function returns one line for the reader of the plan; None (or nothing) means no problem.
"""

from __future__ import annotations

from collections.abc import Mapping

from kafka_setup.changes.setting_values import list_items
from kafka_setup.topology.resources import (
    EVENTS,
    REJECTED,
    Acl,
    ClusterState,
    Topic,
    TopicState,
    Topology,
    User,
)

NO_AUTHORIZER = (
    "the brokers have no authorizer, so everybody may do everything and permissions cannot be stored: set "
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer and super.users"
)
_CLEANUP = "cleanup.policy"
_IN_SYNC = "min.insync.replicas"
_NO_COMPACTION = {
    EVENTS: "compaction keeps only the last event of each computer: use delete",
    REJECTED: "rejected lines have no key, and a compacted topic refuses records without one: use delete",
}
# The first permission includes the second; denying the second removes it again.
_IMPLIED = {
    "READ": {"DESCRIBE"},
    "WRITE": {"DESCRIBE"},
    "DELETE": {"DESCRIBE"},
    "ALTER": {"DESCRIBE"},
    "ALTER_CONFIGS": {"DESCRIBE_CONFIGS"},
}


def new_topic(topic: Topic, topology: Topology, state: ClusterState) -> str | None:
    """Why this topic, which does not exist, cannot be created, apart from its settings."""
    if other := _collision(topic, topology, state):
        return f"collides with {other}: metrics write both . and _ as _, so Kafka refuses the second name"
    replicas = topic.replication_factor or 0
    if state.brokers and replicas > state.brokers:
        brokers = "1 broker" if state.brokers == 1 else f"{state.brokers} brokers"
        return f"replication factor {replicas}, but the cluster has {brokers}: write {state.brokers} or less"
    return None


def _collision(topic: Topic, topology: Topology, state: ClusterState) -> str | None:
    names = [other.name for other in topology.topics]
    earlier = names[: names.index(topic.name)]
    for other in (*sorted(state.topic_names), *earlier):
        if other != topic.name and other.replace(".", "_") == topic.name.replace(".", "_"):
            return other
    return None


def settings(topic: Topic, state: TopicState | None, defaults: Mapping[str, str]) -> dict[str, str]:
    """Setting -> why its value, the new or the current one, would make the topic useless.

    `defaults`: the broker's settings, as far as they are known.
    """
    in_force = state.config if state else {_CLEANUP: defaults.get(f"log.{_CLEANUP}", ""), **defaults}
    config = {**in_force, **{k: v for k, v in topic.config.items() if v is not None}}
    found = {}
    if topic.role in _NO_COMPACTION and "compact" in list_items(config.get(_CLEANUP, "")):
        found[_CLEANUP] = f"{_CLEANUP} {config[_CLEANUP]}: {_NO_COMPACTION[topic.role]}"
    by_default = int(defaults.get("default.replication.factor", 0))
    replicas = state.replication_factor if state else topic.replication_factor or by_default
    in_sync = config.get(_IN_SYNC, "")
    if replicas and in_sync.isdecimal() and int(in_sync) > replicas:
        of = "1 replica" if replicas == 1 else f"{replicas} replicas"
        found[_IN_SYNC] = f"{_IN_SYNC} {in_sync} of {of}: no write with acks=all can succeed"
    return found


def mechanism(user: User, state: ClusterState) -> str | None:
    """Why nobody could log in with the credential that `user` would get."""
    offered = state.refused_mechanisms.get(user.mechanism)
    if offered is None:
        return None
    return (
        f"this listener offers no {user.mechanism}, only {offered}: "
        "write that, or run this tool against a listener that offers it"
    )


def permission(acl: Acl) -> str | None:
    """Why a permission would never match anything."""
    if acl.resource_type == "cluster":
        return None
    if acl.pattern == "prefixed" and acl.name.endswith("*"):
        right = f"{acl.name.rstrip('*')}" if acl.name.strip("*") else ""
        advice = f"write {right}" if right else f'for all of them write {acl.resource_type}: "*"'
        return f"a prefix is taken literally, so this one needs a name with * in it: {advice}"
    if acl.resource_type == "topic" and "*" in acl.name and acl.name != "*":
        return f"no topic has * in its name: write topic_prefix: {acl.name.split('*')[0]}"
    return None


def denied(acl: Acl, topology: Topology) -> str | None:
    """Permissions of the topology's users that a DENY rule of the cluster removes.

    Kafka applies DENY first.
    """
    for wanted in topology.acls:
        operations = {wanted.operation, *_IMPLIED.get(wanted.operation, set())}
        if (
            acl.principal in (wanted.principal, "User:*")
            and acl.resource_type == wanted.resource_type
            and (acl.operation == "ALL" or wanted.operation == "ALL" or acl.operation in operations)
            and (acl.host == "*" or wanted.host in ("*", acl.host))
            and _overlap(acl, wanted)
        ):
            return f"takes {wanted} away: kafka-acls.sh --remove --deny-principal {acl.principal} …"
    return None


def _overlap(one: Acl, other: Acl) -> bool:
    """Whether both patterns match some common name."""
    everything = any(acl.pattern == "literal" and acl.name == "*" for acl in (one, other))
    if everything or one.name == other.name:
        return True
    return (one.pattern == "prefixed" and other.name.startswith(one.name)) or (
        other.pattern == "prefixed" and one.name.startswith(other.name)
    )
