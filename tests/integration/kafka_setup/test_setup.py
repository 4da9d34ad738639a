"""win-event-kafka-setup against the real broker, as a user sees it."""

from __future__ import annotations

import stat
import subprocess
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

import pytest
from confluent_kafka import TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)
from running import BIN, renamed_topology, wait_until

from kafka_setup.changes.state import read_state
from kafka_setup.cluster_facts import read_facts
from kafka_setup.connection.session import connect, only
from kafka_setup.topology.file import load_topology
from local_stack.broker import kafka_objects

pytestmark = pytest.mark.integration


@pytest.fixture
def admin(broker: Any) -> AdminClient:
    """A client of the super user that is not part of the tool."""
    return AdminClient(kafka_objects.connection(broker.stack, "kafka").client_settings())


def topics_and_permissions(admin: AdminClient) -> set[str]:
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    topics = {name for name in admin.list_topics(timeout=60).topics if not name.startswith("__")}
    return topics | {str(permission) for permission in admin.describe_acls(everything).result()}


def statuses(rows: list[dict[str, str]]) -> Counter[str]:
    return Counter(row["status"] for row in rows)


@pytest.fixture
def applied(setup: Any) -> Any:
    assert set(statuses(setup.rows("apply"))) == {"created"}
    return setup


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"KAFKA_PASSWORD": "wrong"},
            "refused the login of 'kafka' with SCRAM-SHA-512: check KAFKA_USERNAME",
        ),
        ({"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}, "set KAFKA_SASL_MECHANISM to one of SCRAM-SHA-512"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "does not use TLS, but the security protocol is SASL_SSL"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092"}, "unknown host nowhere.invalid:9092"),
    ],
)
def test_a_connection_that_cannot_work_is_one_line(setup: Any, variables: dict[str, str], says: str) -> None:
    result = setup("plan", "--wait", "5", **variables)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert says in line
    assert "Traceback" not in result.stderr


def test_apply_again_changes_nothing_and_passwords_are_for_their_owner(applied: Any) -> None:
    assert set(statuses(applied.rows("apply"))) == {"exists"}
    assert applied("plan", "--exit-code").returncode == 0
    files = list(applied.passwords.iterdir())
    assert len(files) == len(load_topology(applied.topology).users) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_plan_shows_and_changes_nothing(setup: Any) -> None:
    for _ in range(2):
        result = setup("plan", "--exit-code")
        assert result.returncode == 2
        assert f"+ create  topic  events_processed{setup.suffix}" in result.stdout
    assert setup("plan").returncode == 0
    assert not setup.passwords.exists()


def traces(admin: AdminClient, suffix: str) -> set[str]:
    partitions = [TopicPartition(f"events_processed{suffix}", number) for number in range(3)]
    ends = admin.list_offsets({each: OffsetSpec.latest() for each in partitions})
    groups = admin.list_consumer_groups().result().valid
    offsets = {f"{each.partition} ends at {end.result().offset}" for each, end in ends.items()}
    return topics_and_permissions(admin) | {group.group_id for group in groups} | offsets


def test_every_role_can_do_its_work_and_nothing_else_and_the_check_leaves_no_trace(
    setup: Any, admin: AdminClient
) -> None:
    """With the whole topology."""
    setup.topology.write_text(renamed_topology(setup.suffix, users=True))
    assert set(statuses(setup.rows("apply"))) == {"created"}
    before = traces(admin, setup.suffix)
    assert len(before) > 100
    rows = setup.rows("check")
    assert traces(admin, setup.suffix) <= before  # groups that other tests have left may go at any time
    assert statuses(rows) == Counter(ok=len(rows)), [row for row in rows if row["status"] != "ok"]
    refused = [row for row in rows if row["kind"] == "refused"]
    assert Counter(row["detail"] for row in refused) == {
        # Of 8 operations on 16 topics, and the creation of a foreign one, less what each may do:
        # bridge, reader, analytics, detection, forwarder, connect, observer, admin.
        "TOPIC_AUTHORIZATION_FAILED": 8 * 129
        - (2 * 3 + 13 * 2 + (4 * 2 + 9 * 3) + (2 + 3) + 2 * 2 + (2 * 2 + 3 * 4) + 16 * 3 + (16 * 6 + 1)),
        # A name under each of 5 granted prefixes, that of Connect's group, and a foreign one.
        "GROUP_AUTHORIZATION_FAILED": 7 + 1 + 6 + 6 + 6 + 6 + 7 + 7,
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": 5 + 6 + 5 + 5 + 6 + 4 + 6 + 6,
        "CLUSTER_AUTHORIZATION_FAILED": 2 + 2 + 2 + 2 + 2 + 2 + 1 + 0,
    }


def test_the_admin_role_can_run_the_tool_itself(applied: Any) -> None:
    login = applied.as_user("admin")
    applied.edit("retention.ms: 604800000", "retention.ms: 3600000")
    assert statuses(applied.rows("apply", **login))["changed"] == 1
    assert applied("check", **login).returncode == 0
    refused = applied("plan", **applied.as_user("bridge"))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "DESCRIBE on the cluster" in refused.stderr


def test_a_removed_permission_is_found_and_restored(applied: Any, admin: AdminClient) -> None:
    assert len(only(admin.delete_acls([AclBindingFilter(*_may_read(applied, "reader"))])).result()) == 1
    found = applied("check", "--json")
    assert found.returncode == 1
    assert "must work, but: TOPIC_AUTHORIZATION_FAILED" in found.stdout
    assert statuses(applied.rows("apply"))["created"] == 1
    assert applied("check").returncode == 0


def _may_read(applied: Any, user: str) -> tuple[Any, ...]:
    """The permission of this user to read the events, as AclBinding takes it."""
    return (
        ResourceType.TOPIC, f"events_processed{applied.suffix}", ResourcePatternType.LITERAL,
        f"User:{user}{applied.suffix}", "*", AclOperation.READ, AclPermissionType.ALLOW,
    )  # fmt: skip


def test_a_permission_too_many_is_found_and_pruned(applied: Any, admin: AdminClient) -> None:
    only(admin.create_acls([AclBinding(*_may_read(applied, "bridge"))])).result()
    found = applied("check", "--json")
    assert found.returncode == 1
    assert "must give TOPIC_AUTHORIZATION_FAILED, but is allowed" in found.stdout
    assert statuses(applied.rows("apply"))["extra"] == 1
    assert statuses(applied.rows("apply", "--prune"))["removed"] == 1
    assert applied("check").returncode == 0


def test_settings_change_one_by_one_and_partitions_only_grow(applied: Any) -> None:
    applied.edit("partitions: 3 ", "partitions: 5 ")
    applied.edit("retention.ms: 604800000", "retention.ms: 86400000")
    applied.edit("compression.type: producer  # keep", "compression.type: zstd  # keep")
    changed = [row for row in applied.rows("apply") if row["status"] == "changed"]
    assert [row["detail"].split(";")[0] for row in changed] == [
        "3 → 5",
        "retention.ms 604800000 → 86400000",
        "compression.type producer → zstd",
    ]
    assert set(statuses(applied.rows("apply"))) == {"exists"}
    applied.edit("partitions: 5 ", "partitions: 4 ")
    shrunk = applied("apply")
    assert shrunk.returncode == 0
    assert "has 5 partitions, the topology says 4: left unchanged" in shrunk.stdout
    assert applied("plan", "--exit-code").returncode == 0


SPELLINGS = """
topics:
  one{0}: {{partitions: 1, config: {{cleanup.policy: "compact, delete"}}}}  # Kafka answers compact,delete
  two{0}: {{config: {{cleanup.policy: [delete, compact]}}}}
  three{0}: {{config: {{min.cleanable.dirty.ratio: 1}}}}  # 1.0
  four{0}: {{config: {{unclean.leader.election.enable: "TRUE"}}}}  # true
  five{0}: {{config: {{retention.ms: " 86400000 ", preallocate: yes}}}}
"""


def test_a_value_may_be_spelled_as_one_likes(setup: Any) -> None:
    setup.topology.write_text(SPELLINGS.format(setup.suffix))
    assert set(statuses(setup.rows("apply"))) == {"created"}
    assert set(statuses(setup.rows("apply"))) == {"exists"}
    assert setup("plan", "--exit-code").returncode == 0


OBSTACLES = """
topics:
  events{0}: {{role: events, config: {{cleanup.policy: compact}}}}
  rejected{0}: {{role: rejected, config: {{cleanup.policy: compact}}}}
  a.b{0}: {{}}
  a_b{0}: {{}}
  copied{0}: {{replication_factor: 9}}
  spelled{0}: {{config: {{retention.ms: 6.048e8}}}}
  unknown{0}: {{config: {{retention: 7}}}}
  alone{0}: {{config: {{min.insync.replicas: 2}}}}
users:
  bridge{0}:
    mechanism: SCRAM-SHA-256
    allow: [{{topic: a.b{0}, operations: [WRITE]}}]
  reader{0}:
    allow: [{{topic_prefix: "*", operations: [READ]}}, {{topic: a.b{0}, operations: [READ]}}]
"""
SAID = {
    "events": "compaction keeps only the last event",
    "rejected": "records without one",
    "a_b": "collides with a.b",
    "copied": "the cluster has 1 broker",
    "spelled": "Invalid value 6.048e8 for configuration retention.ms",
    "unknown": "Unknown topic config name: retention",
    "alone": "min.insync.replicas 2 of 1 replica: no write with acks=all can succeed",
    "bridge": "offers no SCRAM-SHA-256, only SCRAM-SHA-512",
    "User:bridge WRITE topic a.b": "its user could not be created",
    "User:reader READ topic **": 'write topic: "*"',
    "User:reader READ topic a.b": "kafka-acls.sh --remove --deny-principal",
}


def test_what_cannot_work_is_told_by_plan_and_not_made(setup: Any, broker: Any) -> None:
    setup.topology.write_text(OBSTACLES.format(setup.suffix))
    admin = connect(kafka_objects.connection(broker.stack, "kafka"))
    rule = (
        ResourceType.TOPIC, f"a.b{setup.suffix}", ResourcePatternType.LITERAL, f"User:reader{setup.suffix}",
        "*", AclOperation.READ, AclPermissionType.DENY,
    )  # fmt: skip
    only(admin.create_acls([AclBinding(*rule)])).result()
    try:
        wait_until(lambda: only_kind(setup.rows("plan"), "deny"), "the broker shows the DENY rule")
        planned, applied = setup.rows("plan"), setup.rows("apply")
    finally:
        only(admin.delete_acls([AclBindingFilter(*rule)])).result()
    for row in planned + applied:
        row["name"] = row["name"].replace(setup.suffix, "")
    blocked = {row["name"]: row["detail"] for row in planned if row["status"] == "blocked"}
    assert blocked.keys() == SAID.keys()
    assert not [name for name, words in SAID.items() if words not in blocked[name]]
    made = {row["name"] for row in applied if row["status"] == "created"}
    assert made == {"a.b", "reader", "User:reader READ topic a.b"}
    assert {row["name"] for row in applied if row["status"] == "failed"} == blocked.keys()


def test_a_change_that_the_broker_would_refuse_is_told_by_plan(applied: Any) -> None:
    applied.edit("retention.ms: 604800000 ", "retention.ms: a week ")
    planned, made = applied.rows("plan"), applied.rows("apply")
    (blocked,) = [row for row in planned if row["status"] == "blocked"]
    assert "Invalid value a week for configuration retention.ms" in blocked["detail"]
    assert [row["detail"] for row in made if row["status"] == "failed"] == [blocked["detail"]]


class DeletedMeanwhile(AdminClient):
    """Its first answers still name a topic that another client deletes directly afterwards."""

    gone = ""

    def list_topics(self, *given: Any, **named: Any) -> Any:
        return self._then_delete(super().list_topics(*given, **named))

    def describe_topics(self, *given: Any, **named: Any) -> Any:
        answers = super().describe_topics(*given, **named)
        for future in answers.values():
            future.exception()
        return self._then_delete(answers)

    def _then_delete(self, answer: Any) -> Any:
        if self.gone:
            only(self.delete_topics([self.gone])).result()
            lookup = super().describe_topics
            wait_until(
                lambda: lookup(TopicCollection([self.gone]))[self.gone].exception(), "the topic is gone"
            )
            self.gone = ""
        return answer


def test_a_topic_that_goes_between_two_requests_is_left_out(setup: Any, broker: Any) -> None:
    setup.topology.write_text("topics: {going%s: {}, staying%s: {}}" % (setup.suffix, setup.suffix))  # noqa: UP031
    going, staying = f"going{setup.suffix}", f"staying{setup.suffix}"
    admin = DeletedMeanwhile(kafka_objects.connection(broker.stack, "kafka").client_settings())
    reads: list[Callable[[], Collection[str]]] = [
        lambda: [topic.name for topic in read_facts(admin).topics],
        lambda: read_state(admin, load_topology(setup.topology)).topics,
    ]
    for read in reads:
        assert setup("apply").returncode == 0
        admin.gone = going
        names = read()
        assert staying in names
        assert going not in names


def only_kind(rows: list[dict[str, str]], kind: str) -> list[dict[str, str]]:
    return [row for row in rows if row["kind"] == kind]


ODD_NAMES = """
topics: {{soc.windows{0}: {{role: events}}}}
users:
  log.reader/1{0}: {{allow: [{{topic: soc.windows{0}, operations: [READ]}}]}}
  "CN=bridge{0},O=Example": {{allow: [{{topic: soc.windows{0}, operations: [WRITE]}}]}}
"""


def test_the_admin_role_makes_a_new_topology_with_odd_user_names(setup: Any, broker: Any) -> None:
    setup.topology.write_text(ODD_NAMES.format(setup.suffix))
    login = broker.stack.secrets / "admin"
    admin = {"KAFKA_USERNAME": "admin", "KAFKA_PASSWORD_FILE": str(login)}
    kept, setup.variables = setup.variables, {}
    refused = setup("apply", **admin)
    assert refused.returncode == 1
    assert "give --password-dir; no shell variable can be called after this user" in refused.stdout
    assert statuses(setup.rows("plan", **admin))["blocked"] == 2  # the user and its permission
    setup.variables = kept
    assert statuses(setup.rows("apply", **admin))["failed"] == 0
    assert set(statuses(setup.rows("apply", **admin))) == {"exists"}
    assert [file.name for file in setup.passwords.iterdir()] == [f"log.reader%2F1{setup.suffix}"]
    checked = setup.rows("check", **admin)
    assert set(statuses(checked)) == {"ok", "untried"}
    untried = [row["name"] for row in checked if row["status"] == "untried"]
    assert untried == [f"CN=bridge{setup.suffix},O=Example"]


def test_a_setting_given_back_to_the_broker(applied: Any) -> None:
    applied.edit("retention.ms: 604800000", "retention.ms: null")
    (changed,) = [row for row in applied.rows("apply") if row["status"] == "changed"]
    assert changed["detail"] == "retention.ms 604800000 → the broker's default"
    assert set(statuses(applied.rows("apply"))) == {"exists"}


def test_another_password_is_told_and_reset_only_when_asked(applied: Any) -> None:
    other = {"WIN_EVENT_READER_PASSWORD": "another-password"}
    told = applied("apply", **other)
    assert told.returncode == 1
    assert "another password than WIN_EVENT_READER_PASSWORD" in told.stdout
    assert statuses(applied.rows("apply", "--reset-passwords", **other))["changed"] == 1
    assert set(statuses(applied.rows("apply", **other))) == {"exists"}


def test_without_a_password_a_user_is_not_made(setup: Any) -> None:
    setup.variables = {}
    result = setup("apply")
    assert result.returncode == 1
    assert "set WIN_EVENT_BRIDGE_PASSWORD or WIN_EVENT_BRIDGE_PASSWORD_FILE" in result.stdout


def test_rotate_prints_a_generated_password_once(applied: Any) -> None:
    user = f"reader{applied.suffix}"
    applied.variables = {}
    result = applied("rotate", user)
    assert result.returncode == 0, result.stderr
    password = result.stdout.strip()
    assert password
    assert password not in result.stderr
    login = {"KAFKA_USERNAME": user, "KAFKA_PASSWORD": password}
    assert "DESCRIBE on the cluster" in applied("plan", **login).stderr  # in, and nothing more


def test_rotate_takes_the_new_password_from_stdin_or_a_folder(applied: Any) -> None:
    user = f"reader{applied.suffix}"
    file = applied.passwords / user
    before = file.read_text()
    assert applied("rotate", user).returncode == 0
    assert file.read_text() != before
    assert [path.name for path in applied.passwords.glob(".*")] == []
    assert set(statuses(applied.rows("apply"))) == {"exists"}
    given = subprocess.run(
        [str(BIN / "win-event-kafka-setup"), "rotate", user, "--stdin"],
        input="said-by-a-person\n",
        env={**applied.environment, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert given.returncode == 0, given.stderr
    assert "said-by-a-person" not in given.stdout + given.stderr
    assert set(statuses(applied.rows("apply", WIN_EVENT_READER_PASSWORD="said-by-a-person"))) == {"exists"}


def test_teardown_asks_and_leaves_the_rest_alone(applied: Any, admin: AdminClient) -> None:
    def others() -> set[str]:
        return {each for each in topics_and_permissions(admin) if applied.suffix not in each}

    before = others()
    assert before
    unanswered = applied("teardown")
    assert unanswered.returncode == 2
    assert "use --yes" in unanswered.stderr
    assert set(statuses(applied.rows("teardown", "--yes"))) == {"removed"}
    assert others() == before
    assert "nothing to remove" in applied("teardown", "--yes").stderr
    created = [row for row in applied.rows("plan") if row["status"] == "create"]
    assert len(created) == len(applied.rows("plan"))


def test_the_bridges_topics_are_made_under_the_names_that_the_job_uses(setup: Any) -> None:
    names = {"KAFKA_TOPIC": "soc.windows.v1", "WIN_EVENT_TOPOLOGY": ""}
    planned = setup("plan", "--kafka-rejected-topic", "soc.rejected.v1", **names).stdout
    assert "create  topic  soc.windows.v1" in planned
    assert "create  topic  soc.rejected.v1" in planned
    assert "User:bridge WRITE topic soc.windows.v1" in planned


def test_init_copies_the_topology_and_never_over_a_file(setup: Any, tmp_path: Any) -> None:
    file = tmp_path / "copied.yaml"
    assert setup("init", file).returncode == 0
    assert "password_variable" in file.read_text()
    file.write_text("mine")
    assert setup("init", file).returncode == 2
    assert file.read_text() == "mine"
    assert setup("init", "--force", file).returncode == 0
