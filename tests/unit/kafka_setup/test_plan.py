"""The difference between a topology and a cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_setup.changes.plan import Change, Wishes, plan
from kafka_setup.changes.teardown import removals
from kafka_setup.topology.resources import Acl, ClusterState, Topic, TopicState, Topology, User

ACL = Acl("User:u", "topic", "literal", "t", "READ")
TOPOLOGY = Topology(
    topics=(Topic("t", 3, 2, {"retention.ms": "10", "cleanup.policy": None}),),
    users=(User("u", "U_PASSWORD", (ACL,)),),
)
AS_WANTED = ClusterState(
    topics={"t": TopicState(3, 2, {"retention.ms": "10", "cleanup.policy": "delete"})},
    credentials={"u": {"SCRAM-SHA-512": 8192}},
    acls=frozenset({ACL}),
    logins={"u": True},
)
EMPTY = ClusterState({}, {}, frozenset())


def actions(state: ClusterState, wishes: Wishes | None = None) -> list[tuple[str, str, str]]:
    return [(change.action, change.kind, change.detail) for change in plan(TOPOLOGY, state, wishes)]


def test_a_cluster_as_wanted_needs_nothing() -> None:
    assert {action for action, _, _ in actions(AS_WANTED)} == {"exists"}


def test_an_empty_cluster_needs_everything() -> None:
    found = actions(EMPTY, Wishes(known={"u"}))
    assert [(action, kind) for action, kind, _ in found] == [
        ("create", "topic"),
        ("create", "user"),
        ("create", "acl"),
    ]


def topic_change(state: TopicState) -> list[Change]:
    changes = plan(TOPOLOGY, replace(AS_WANTED, topics={"t": state}))
    return [change for change in changes if change.kind not in ("user", "acl")]


@pytest.mark.parametrize(
    ("state", "action", "detail"),
    [
        (TopicState(1, 2, {"retention.ms": "10"}), "change", "1 → 3; a key may move"),
        (TopicState(5, 2, {"retention.ms": "10"}), "blocked", "5 → 3: Kafka cannot take partitions away"),
        (TopicState(3, 1, {"retention.ms": "10"}), "blocked", "1 → 2: use kafka-reassign-partitions.sh"),
        (TopicState(3, 2, {"retention.ms": "7"}), "change", "retention.ms 7 → 10"),
        (
            TopicState(
                3, 2, {"retention.ms": "10", "cleanup.policy": "compact"}, frozenset({"cleanup.policy"})
            ),
            "change",
            "cleanup.policy compact → the broker's default",
        ),
    ],
)
def test_a_topic_that_differs(state: TopicState, action: str, detail: str) -> None:
    (change,) = topic_change(state)
    assert change.action == action
    assert change.detail.startswith(detail)


@given(has=st.integers(1, 50), wanted=st.integers(1, 50))
def test_partitions_only_ever_grow(has: int, wanted: int) -> None:
    topology = Topology((Topic("t", wanted),), ())
    (change,) = plan(topology, ClusterState({"t": TopicState(has, 1, {})}, {}, frozenset()))
    assert change.action == ("exists" if has == wanted else "change" if has < wanted else "blocked")


@pytest.mark.parametrize(
    ("state", "wishes", "action"),
    [
        (EMPTY, Wishes(), "blocked"),
        (EMPTY, Wishes(generate=True), "create"),
        (EMPTY, Wishes(login="u"), "exists"),
        (replace(AS_WANTED, logins={}), Wishes(), "exists"),
        (replace(AS_WANTED, logins={"u": False}), Wishes(known={"u"}), "blocked"),
        (replace(AS_WANTED, logins={"u": False}), Wishes(known={"u"}, reset_passwords=True), "change"),
        (replace(AS_WANTED, credentials={"u": {"SCRAM-SHA-512": 4096}}), Wishes(known={"u"}), "change"),
        (replace(AS_WANTED, credentials={"u": {"SCRAM-SHA-512": 4096}}), Wishes(), "blocked"),
        (replace(AS_WANTED, credentials={"u": {"SCRAM-SHA-256": 8192}}), Wishes(known={"u"}), "create"),
    ],
)
def test_a_users_password_is_never_replaced_unasked(state: ClusterState, wishes: Wishes, action: str) -> None:
    (change,) = [change for change in plan(TOPOLOGY, state, wishes) if change.kind == "user"]
    assert change.action == action


def test_a_permission_beyond_the_topology_is_pointed_out() -> None:
    more = replace(ACL, operation="WRITE")
    changes = plan(TOPOLOGY, replace(AS_WANTED, acls=frozenset({ACL, more})))
    assert [change.name for change in changes if change.action == "extra"] == ["User:u WRITE topic t"]


def test_teardown_takes_what_the_topology_names_and_keeps_its_own_login() -> None:
    other = Acl("User:other", "topic", "literal", "t", "READ")
    state = replace(AS_WANTED, acls=frozenset({ACL, other}), credentials={"u": {"SCRAM-SHA-512": 8192}})
    named = [(c.action, c.kind, c.name) for c in removals(TOPOLOGY, state, login="root")]
    assert named == [
        ("remove", "topic", "t"),
        ("remove", "user", "u"),
        ("remove", "acl", "User:u READ topic t"),
    ]
    kept = [(c.action, c.kind) for c in removals(TOPOLOGY, state, login="u")]
    assert kept == [("remove", "topic"), ("keep", "user"), ("keep", "acl")]
    assert removals(TOPOLOGY, EMPTY, login=None) == []
