"""The difference between a topology and a cluster, as a list of changes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kafka_setup.changes import obstacles
from kafka_setup.changes.change import Change, Wishes
from kafka_setup.changes.plan_topics import plan_topic
from kafka_setup.changes.plan_users import plan_user
from kafka_setup.topology.resources import Acl, ClusterState, Topology

WITHOUT_USER = "not granted, because its user could not be created"


def plan(topology: Topology, state: ClusterState, wishes: Wishes | None = None) -> list[Change]:
    """The changes for the topology, in its order; then the cluster's permissions that it does not name."""
    wishes = wishes or Wishes()
    changes: list[Change] = []
    for topic in topology.topics:
        changes += plan_topic(topic, topology, state)
    users = [plan_user(user, state, wishes) for user in topology.users]
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
