"""The difference between a topology and a cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_setup.changes.change import Change, Wishes
from kafka_setup.changes.plan import plan
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
        (
            TopicState(5, 2, {"retention.ms": "10"}),
            "remark",
            "t has 5 partitions, the topology says 3:",
        ),
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
    assert change.action == ("exists" if has == wanted else "change" if has < wanted else "remark")


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


@pytest.mark.parametrize(
    ("wanted", "now", "same"),
    [
        ("compact, delete", "compact,delete", True),
        ("delete,compact", "compact,delete", True),
        ("compact", "compact,delete", False),
        ("1", "1.0", True),
        ("0.50", "0.5", True),
        ("1", "10", False),
        ("604800000", "604800001", False),
        ("9223372036854775807", "9223372036854775806", False),
        ("TRUE", "true", True),
        ("true", "false", False),
        (" zstd ", "zstd", True),
        ("ZSTD", "zstd", False),
        ("", "", True),
    ],
)
def test_values_are_compared_as_kafka_means_them(wanted: str, now: str, same: bool) -> None:
    topology = Topology((Topic("t", 1, None, {"setting": wanted}),), ())
    (change,) = plan(topology, ClusterState({"t": TopicState(1, 1, {"setting": now})}, {}, frozenset()))
    assert change.action == ("exists" if same else "change")


NO_TOPICS = replace(EMPTY, brokers=1)
COMPACT = {"cleanup.policy": "delete, compact"}


@pytest.mark.parametrize(
    ("topic", "state", "says"),
    [
        (Topic("a.b", 1), replace(NO_TOPICS, topic_names=frozenset({"a_b"})), "collides with a_b"),
        (Topic("t", 1, 3), NO_TOPICS, "replication factor 3, but the cluster has 1 broker"),
        (Topic("t", 1, 1, {"min.insync.replicas": "2"}), NO_TOPICS, "no write with acks=all can succeed"),
        (Topic("t", 1, None, COMPACT, "rejected"), NO_TOPICS, "rejected lines have no key"),
        (Topic("t", 1, None, COMPACT, "events"), NO_TOPICS, "only the last event"),
    ],
)  # fmt: skip
def test_a_topic_that_could_not_work_is_not_made(topic: Topic, state: ClusterState, says: str) -> None:
    (change,) = plan(Topology((topic,), ()), state)
    assert (change.action, change.kind) == ("blocked", "topic")
    assert says in change.detail


def test_of_two_new_topics_that_collide_the_second_is_not_made() -> None:
    topology = Topology((Topic("a.b", 1), Topic("a_b", 1)), ())
    first, second = plan(topology, NO_TOPICS)
    assert (first.action, second.action) == ("create", "blocked")
    both = replace(NO_TOPICS, topics={name: TopicState(1, 1, {}) for name in ("a.b", "a_b")})
    assert {change.action for change in plan(topology, both)} == {"exists"}


@pytest.mark.parametrize("config", [{}, {"cleanup.policy": "compact"}])
def test_a_rejected_topic_that_is_compacted_already_is_told(config: dict[str, str]) -> None:
    topic = Topic("t", 1, None, config, "rejected")
    cluster = replace(EMPTY, topics={"t": TopicState(1, 1, {"cleanup.policy": "compact"})})
    (change,) = plan(Topology((topic,), ()), cluster)
    assert (change.action, change.key) == ("blocked", "cleanup.policy")
    cured = plan(Topology((replace(topic, config={"cleanup.policy": "delete"}),), ()), cluster)
    assert [(change.action, change.value) for change in cured] == [("change", "delete")]


def test_a_mechanism_that_the_listener_lacks_makes_neither_user_nor_permission() -> None:
    state = replace(EMPTY, refused_mechanisms={"SCRAM-SHA-512": "SCRAM-SHA-256, PLAIN"})
    changes = [change for change in plan(TOPOLOGY, state, Wishes(known={"u"})) if change.kind != "topic"]
    assert [(change.action, change.kind) for change in changes] == [("blocked", "user"), ("blocked", "acl")]
    assert "offers no SCRAM-SHA-512, only SCRAM-SHA-256, PLAIN" in changes[0].detail


def test_a_permission_of_a_user_that_cannot_be_made_is_not_granted() -> None:
    _, user, acl = plan(TOPOLOGY, EMPTY)
    assert (user.action, acl.action) == ("blocked", "blocked")
    there = replace(EMPTY, acls=frozenset({ACL}))
    assert [c.action for c in plan(TOPOLOGY, there) if c.kind == "acl"] == ["exists"]


def test_a_user_with_a_certificate_needs_no_credential() -> None:
    user = User("CN=u", "", (replace(ACL, principal="User:CN=u"),), mechanism="none")
    changes = plan(Topology((), (user,)), EMPTY)
    assert [(change.action, change.kind) for change in changes] == [("exists", "user"), ("create", "acl")]


def test_without_an_authorizer_permissions_are_one_row() -> None:
    changes = plan(TOPOLOGY, replace(EMPTY, has_authorizer=False), Wishes(known={"u"}))
    assert [(change.action, change.kind) for change in changes] == [
        ("create", "topic"), ("create", "user"), ("blocked", "authorizer"),
    ]  # fmt: skip
    assert changes[-1].name == "the cluster"
    assert "authorizer.class.name=" in changes[-1].detail
    nothing_wanted = plan(Topology(TOPOLOGY.topics, ()), replace(EMPTY, has_authorizer=False))
    assert [change.kind for change in nothing_wanted] == ["topic"]


@pytest.mark.parametrize(
    ("acl", "says"),
    [
        (replace(ACL, pattern="prefixed", name="*"), 'for all of them write topic: "*"'),
        (replace(ACL, pattern="prefixed", name="events_*"), "write events_"),
        (Acl("User:u", "group", "prefixed", "*", "READ"), 'write group: "*"'),
        (replace(ACL, name="events_*"), "write topic_prefix: events_"),
    ],
)
def test_a_wildcard_that_kafka_takes_as_a_letter_is_told(acl: Acl, says: str) -> None:
    user = replace(TOPOLOGY.users[0], acls=(acl,))
    (change,) = [c for c in plan(Topology((), (user,)), AS_WANTED) if c.kind == "acl" and c.action != "extra"]
    assert change.action == "blocked"
    assert says in change.detail


@pytest.mark.parametrize(
    ("rule", "in_the_way"),
    [
        (ACL, True),
        (replace(ACL, principal="User:*"), True),
        (replace(ACL, principal="User:other"), False),
        (replace(ACL, operation="ALL"), True),
        (replace(ACL, operation="DESCRIBE"), True),  # READ is of no use without it
        (replace(ACL, operation="WRITE"), False),
        (replace(ACL, pattern="prefixed", name=""), True),
        (replace(ACL, name="*"), True),
        (replace(ACL, name="other"), False),
        (replace(ACL, host="10.0.0.1"), True),
        (replace(ACL, resource_type="group"), False),
    ],
)
def test_a_deny_rule_in_the_way_is_told(rule: Acl, in_the_way: bool) -> None:
    changes = plan(TOPOLOGY, replace(AS_WANTED, denied=frozenset({rule})))
    told = [change for change in changes if change.kind == "deny"]
    assert [change.action for change in told] == (["blocked"] if in_the_way else [])
    assert all("takes User:u READ topic t away" in change.detail for change in told)


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
