"""win-event-kafka-setup against the real broker, as its user meets it."""

from __future__ import annotations

import stat
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from running import BIN

from kafka_setup.topology.file import load_topology

KafkaTool = Callable[..., str]

pytestmark = pytest.mark.integration


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
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "is it a plaintext listener?"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092"}, "unknown host nowhere.invalid:9092"),
    ],
)
def test_a_connection_that_cannot_work_is_one_line(setup: Any, variables: dict[str, str], says: str) -> None:
    result = setup("plan", "--wait", "5", **variables)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert says in line
    assert "Traceback" not in result.stderr


def test_apply_twice_changes_nothing_the_second_time(applied: Any) -> None:
    again = applied("apply", "--json")
    assert again.returncode == 0, again.stderr
    assert set(statuses(applied.rows("apply"))) == {"exists"}
    assert applied("plan", "--exit-code").returncode == 0


def test_generated_passwords_are_for_their_owner_only(applied: Any) -> None:
    files = list(applied.passwords.iterdir())
    assert len(files) == len(load_topology().users)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_plan_shows_and_changes_nothing(setup: Any) -> None:
    for _ in range(2):
        result = setup("plan", "--exit-code")
        assert result.returncode == 2
        assert f"+ create  topic  events_processed{setup.suffix}" in result.stdout
    assert setup("plan").returncode == 0
    assert not setup.passwords.exists()


def test_every_role_can_do_its_work_and_nothing_else(applied: Any) -> None:
    rows = applied.rows("check")
    assert statuses(rows) == Counter(ok=len(rows)), [row for row in rows if row["status"] != "ok"]
    refused = [row for row in rows if row["kind"] == "refused"]
    assert Counter(row["detail"] for row in refused) == {
        # Of 8 operations on 9 topics, and the creation of a foreign one, less what each may do:
        # bridge, reader, analytics, detection, observer, admin.
        "TOPIC_AUTHORIZATION_FAILED": 6 * 73
        - (2 * 2 + 9 * 2 + (2 * 2 + 7 * 3) + 2 * 2 + 9 * 3 + (9 * 6 + 1)),
        # A name under each of 4 granted prefixes, and a foreign one.
        "GROUP_AUTHORIZATION_FAILED": 5 + 1 + 4 + 4 + 5 + 5,
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": 3 + 4 + 3 + 3 + 4 + 4,
        "CLUSTER_AUTHORIZATION_FAILED": 2 + 2 + 2 + 2 + 1 + 0,
    }


def test_check_leaves_no_trace(applied: Any, kafka_tool: KafkaTool) -> None:
    def traces() -> set[str]:
        partitions = f"events_processed{applied.suffix}:0-2"
        listed = (
            kafka_tool("kafka-topics.sh", "--list", "--exclude-internal"),
            kafka_tool("kafka-consumer-groups.sh", "--list"),
            kafka_tool("kafka-acls.sh", "--list"),
            kafka_tool("kafka-get-offsets.sh", "--topic-partitions", partitions),
        )
        return {line for lines in listed for line in lines.splitlines()}

    before = traces()
    assert applied("check").returncode == 0
    assert traces() <= before  # groups that other tests have left may go at any time


def test_the_admin_role_can_run_the_tool_itself(applied: Any) -> None:
    login = applied.as_user("admin")
    applied.edit("retention.ms: 604800000", "retention.ms: 3600000")
    assert statuses(applied.rows("apply", **login))["changed"] == 1
    assert applied("check", **login).returncode == 0
    refused = applied("plan", **applied.as_user("bridge"))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "DESCRIBE on the cluster" in refused.stderr


def test_a_removed_permission_is_found_and_restored(applied: Any, kafka_tool: KafkaTool) -> None:
    rule = ["--allow-principal", f"User:reader{applied.suffix}", "--operation", "READ"]
    topic = f"events_processed{applied.suffix}"
    kafka_tool("kafka-acls.sh", "--remove", "--force", *rule, "--topic", topic)
    found = applied("check", "--json")
    assert found.returncode == 1
    assert "must work, but: TOPIC_AUTHORIZATION_FAILED" in found.stdout
    assert statuses(applied.rows("apply"))["created"] == 1
    assert applied("check").returncode == 0


def test_a_permission_too_many_is_found_and_pruned(applied: Any, kafka_tool: KafkaTool) -> None:
    rule = ["--allow-principal", f"User:bridge{applied.suffix}", "--operation", "READ"]
    kafka_tool("kafka-acls.sh", "--add", *rule, "--topic", f"events_processed{applied.suffix}")
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
    assert shrunk.returncode == 1
    assert "Kafka cannot take partitions away" in shrunk.stdout


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


def test_teardown_asks_and_leaves_the_rest_alone(applied: Any, kafka_tool: KafkaTool) -> None:
    def others() -> list[str]:
        text = kafka_tool("kafka-topics.sh", "--list") + kafka_tool("kafka-acls.sh", "--list")
        return sorted(line for line in text.splitlines() if line and applied.suffix not in line)

    before = others()
    unanswered = applied("teardown")
    assert unanswered.returncode == 2
    assert "give --yes" in unanswered.stderr
    assert set(statuses(applied.rows("teardown", "--yes"))) == {"removed"}
    assert others() == before
    assert "nothing to remove" in applied("teardown", "--yes").stderr
    created = [row for row in applied.rows("plan") if row["status"] == "create"]
    assert len(created) == len(applied.rows("plan"))


def test_init_copies_the_topology_and_never_over_a_file(setup: Any, tmp_path: Any) -> None:
    file = tmp_path / "copied.yaml"
    assert setup("init", file).returncode == 0
    assert "password_variable" in file.read_text()
    file.write_text("mine")
    assert setup("init", file).returncode == 2
    assert file.read_text() == "mine"
    assert setup("init", "--force", file).returncode == 0
