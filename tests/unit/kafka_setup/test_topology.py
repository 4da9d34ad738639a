"""The topology file: its meaning, and the message for each mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kafka_setup.defaults import ALERTS_TOPIC, EVENTS_TOPIC, REJECTED_TOPIC
from kafka_setup.topology.file import (
    TopologyError,
    default_topology_text,
    load_topology,
    parse_topology,
    renamed_topics,
)
from kafka_setup.topology.resources import Acl


def test_the_shipped_topology_is_least_privilege() -> None:
    topology = load_topology()
    assert [(topic.name, topic.partitions) for topic in topology.topics[:2]] == [
        ("events_processed", 3),
        ("events_rejected", 1),
    ]
    granted = {
        user.name: {(acl.resource_type, acl.operation) for acl in user.acls} for user in topology.users
    }
    assert granted["bridge"] == {
        ("topic", "WRITE"),
        ("topic", "DESCRIBE_CONFIGS"),
        ("transactional_id", "WRITE"),
        ("transactional_id", "DESCRIBE"),
    }
    assert granted["reader"] == {("topic", "READ"), ("group", "READ")}
    assert not {"READ", "WRITE", "ALL"} & {operation for _, operation in granted["admin"]}
    assert {operation for _, operation in granted["observer"]} == {"READ", "DESCRIBE", "DESCRIBE_CONFIGS"}
    assert all(user.iterations >= 8192 for user in topology.users)


def test_only_the_bridge_writes_events_and_only_analytics_and_detection_write_results() -> None:
    topology = load_topology()
    writers = {
        topic.name: {
            acl.principal for acl in topology.acls if acl.operation == "WRITE" and acl.name == topic.name
        }
        for topic in topology.topics
    }
    events = {name: writers.pop(name) for name in ("events_processed", "events_rejected")}
    assert set(map(frozenset, events.values())) == {frozenset({"User:bridge"})}
    assert writers.pop("alerts") == {"User:analytics", "User:detection"}
    of_connect = [
        writers.pop(name) for name in list(writers) if name.startswith(("inventory.", "win-event-"))
    ]
    assert set(map(frozenset, of_connect)) == {frozenset({"User:connect"})}
    assert set(map(frozenset, writers.values())) == {frozenset({"User:analytics"})}


def test_results_that_are_upserts_keep_the_last_row_of_a_key() -> None:
    kept = {
        topic.name for topic in load_topology().topics if "compact" in topic.config.get("cleanup.policy", "")
    }
    of_connect = {f"win-event-connect-{name}" for name in ("configs", "offsets", "status")}
    assert kept == {
        "alerts",
        "events_by_level",
        "events_by_level_5m",
        "events_by_level_30s",
        "top_5m",
        "logon_sessions",
    } | of_connect | {
        "alerts_in_context",
        "inventory.computers",
        "inventory.accounts",
    }


def test_a_rule_may_name_several_resources() -> None:
    topology = parse_topology("users: {u: {allow: [{topic: [a, b], operations: [READ, WRITE]}]}}")
    assert [(acl.name, acl.operation) for acl in topology.acls] == [
        ("a", "READ"), ("a", "WRITE"), ("b", "READ"), ("b", "WRITE"),
    ]  # fmt: skip


def test_a_prefix_becomes_a_prefixed_permission() -> None:
    topology = parse_topology("users: {reader: {allow: [{group_prefix: g-, operations: [READ, DESCRIBE]}]}}")
    assert topology.acls == (
        Acl("User:reader", "group", "prefixed", "g-", "READ"),
        Acl("User:reader", "group", "prefixed", "g-", "DESCRIBE"),
    )


def test_settings_are_text_and_null_is_the_brokers_default() -> None:
    (topic,) = parse_topology(
        "topics: {t: {partitions: 2, replication_factor: 3, config: {a: 1, b: true, c: null}}}"
    ).topics
    assert dict(topic.config) == {"a": "1", "b": "true", "c": None}
    assert topic.replication_factor == 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("topics: [", "1: not YAML"),
        ("[]", "1: the file: [], expected keys with values"),
        ("topic: {}", "1: the file: unknown key topic"),
        ("topics:\n  t:\n    partition: 3", "3: topics.t: unknown key partition"),
        ("topics:\n  t:\n    partitions: 0", "3: topics.t.partitions: 0, expected int >= 1"),
        ("topics: {t: {partitions: true}}", "1: topics.t.partitions: True, expected int, got bool"),
        ("topics: {t: {replication_factor: all}}", "1: topics.t.replication_factor: 'all', expected"),
        ("topics:\n  t:\n    config: {a: 1}\n  t: {}", "4: 't' occurs twice; first in line 2"),
        ("topics:\n\n  a topic: {}", "3: topics.a topic: a topic's name has"),
        ("topics: {..: {}}", "1: topics...: a topic's name has"),
        ("topics: {t: {config: {a: {b: 1}}}}", "1: topics.t.config[...]: expected"),
        ("users:\n  u: {mechanism: PLAIN}", "2: users.u.mechanism: 'PLAIN', expected one of SCRAM-SHA-256"),
        ("users: {u: {iterations: 4096}}", "1: users.u.iterations: 4096, expected int >= 8192"),
        ("users: {u: {iterations: 20000}}", "1: users.u.iterations: 20000, expected int <= 16384"),
        (
            "users:\n  u:\n    allow:\n      - {topic: t, group: g, operations: [READ]}",
            "4: users.u.allow[0]: expected exactly one of cluster",
        ),
        (
            "users:\n  u:\n    allow:\n      - topic: t\n        operations: [READ,\n          read]",
            "6: users.u.allow[0].operations[1]: 'read', expected one of ALL",
        ),
        ("users: {u: {allow: [{topic: [], operations: [READ]}]}}", "1: users.u.allow[0].topic: [], expected"),
        ("users: {u: {allow: [{cluster: no, operations: [READ]}]}}", "1: users.u.allow[0].cluster: False"),
        ("users:\n  u:\n    allow:\n      - {topic: t}", "4: users.u.allow[0]: missing key operations"),
        ("users: {u: {password_variable: a.b}}", "1: users.u.password_variable: no shell variable"),
        ("users:\n  reader: {}\n  gräfin: {}", "3: users.gräfin: gräfin could never log in"),
        ("topics:\n  t:\n    config: {x: 2026-13-45}", "3: not YAML: '2026-13-45' is no timestamp"),
        ("topics:\n  t: {config: {x: !!int many}}", "2: not YAML: 'many' is no int"),
        ("topics:\n  t: {config: {x: !!timestamp soon}}", "2: not YAML: 'soon' is no timestamp"),
        ("topics:\n  t: &a\n    config: *a", "2: nests too deep; perhaps an anchor"),
        ("topics:\n  t: &a [*a]", "2: nests too deep; perhaps an anchor"),
        ("topics: " + "[" * 2000 + "]" * 2000, "1: nests too deep"),
        ("topics: {}\n---\nusers: {}", "3: not YAML: expected a single document"),
        ("users:\n  a-b: {}\n  a_b: {}", "3: users.a_b: a-b has the variable A_B_PASSWORD, too"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_file_line_and_place(text: str, complaint: str) -> None:
    with pytest.raises(TopologyError, match="^" + re.escape(f"mine.yaml:{complaint}")):
        parse_topology(text, "mine.yaml")


def test_settings_may_be_lists() -> None:
    (topic,) = parse_topology("topics: {t: {config: {cleanup.policy: [compact, delete]}}}").topics
    assert dict(topic.config) == {"cleanup.policy": "compact,delete"}


@pytest.mark.parametrize(
    ("name", "variable", "mechanism"),
    [
        ("log-reader", "LOG_READER_PASSWORD", "SCRAM-SHA-512"),
        ("log.reader", "", "SCRAM-SHA-512"),
        ("1reader", "", "SCRAM-SHA-512"),
        ("log reader", "", "SCRAM-SHA-512"),
        ("CN=Gräfin,O=Example", "", "none"),
    ],
)
def test_where_a_users_password_can_come_from(name: str, variable: str, mechanism: str) -> None:
    (user,) = parse_topology(f"users: {{'{name}': {{}}}}").users
    assert (user.password_variable, user.mechanism) == (variable, mechanism)
    assert ("no shell variable" in user.how_to_give_a_password) == (not variable)


def test_the_roles_of_topics_are_those_of_the_file_or_of_the_shipped_names() -> None:
    topics = parse_topology("topics: {events_processed: {}, mine: {role: rejected}, other: {}}").topics
    assert [topic.role for topic in topics] == ["events", "rejected", ""]


def test_the_bridges_topics_may_be_called_otherwise() -> None:
    names = {"events_processed": "soc.windows.v1", "events_rejected": "soc.rejected"}
    topology = parse_topology(renamed_topics(default_topology_text(), names))
    assert [(topic.name, topic.role) for topic in topology.topics[:2]] == [
        ("soc.windows.v1", "events"),
        ("soc.rejected", "rejected"),
    ]
    assert {acl.name for acl in topology.user("bridge").acls if acl.resource_type == "topic"} == set(
        names.values()
    )
    assert not names.keys() & {acl.name for acl in topology.acls}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"nowhere\.yaml"):
        load_topology(tmp_path / "nowhere.yaml")


def test_idempotent_write_goes_to_writers_only() -> None:
    topology = load_topology().with_idempotent_write()
    granted = [acl.principal for acl in topology.acls if acl.operation == "IDEMPOTENT_WRITE"]
    assert granted == ["User:bridge", "User:analytics", "User:detection", "User:connect"]


def test_the_shipped_topology_has_the_topics_that_the_tools_use_by_default() -> None:
    assert {EVENTS_TOPIC, REJECTED_TOPIC, ALERTS_TOPIC} <= {topic.name for topic in load_topology().topics}
