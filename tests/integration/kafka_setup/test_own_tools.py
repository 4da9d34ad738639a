"""The commands that docs/KAFKA.md gives for Kafka's own tools, run as written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import RunningStack, run

from local_stack.layout import REPOSITORY

pytestmark = pytest.mark.integration


def documented(suffix: str) -> list[str]:
    """The bash blocks of the section, with the names of this test's own set-up."""
    text = (REPOSITORY / "docs" / "KAFKA.md").read_text(encoding="utf-8")
    section = text.split("## With Kafka's own tools")[1]
    blocks = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 4
    names = r"\b(events_processed|events_rejected|User:(?:bridge|reader|admin)|entity-name bridge)\b"
    users = "bridge reader admin"
    own = " ".join(name + suffix for name in users.split())
    return [re.sub(names, rf"\1{suffix}", block).replace(users, own) for block in blocks]


def of_the_bridge(text: str, suffix: str) -> str:
    """The part of the topology that the section sets up: the bridge's two topics and three users."""
    whole = yaml.safe_load(text)
    topics = {
        f"{name}{suffix}": whole["topics"][f"{name}{suffix}"]
        for name in ("events_processed", "events_rejected")
    }
    users = {f"{name}{suffix}": whole["users"][f"{name}{suffix}"] for name in ("bridge", "reader", "admin")}
    for user in users.values():
        rules = [rule for rule in user["allow"] if "topic" not in rule or rule["topic"] == "*"]
        named = [rule for rule in user["allow"] if rule not in rules]
        user["allow"] = rules + [rule for rule in named if set(rule["topic"]) <= set(topics)]
    return yaml.safe_dump({"topics": topics, "users": users})


def bash(script: str, folder: Path, stack: RunningStack) -> str:
    """Runs the command as in a shell where `win-event-stack env` was sourced."""
    result = run("bash", "-euo", "pipefail", "-c", script, env=stack.shell(), cwd=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return str(result.stdout)


@pytest.mark.nightly  # a JVM for each of Kafka's own commands
def test_the_documented_commands_make_the_same_set_up(
    setup: Any, kafka_tool: Any, broker: RunningStack, tmp_path: Path
) -> None:
    (tmp_path / "kafka.properties").rename(tmp_path / "admin.properties")
    setup.topology.write_text(of_the_bridge(setup.topology.read_text(), setup.suffix))
    setup.passwords = tmp_path / "secrets"
    setup.passwords.mkdir()
    for role in ("bridge", "reader", "admin"):
        (setup.passwords / f"{role}{setup.suffix}").write_text(f'{role}\\Temp9 "1", ü=\n', encoding="utf-8")
    setup.variables = {"WIN_EVENT_PASSWORD_DIR": str(setup.passwords)}
    topics, users, acls, afterwards = documented(setup.suffix)
    definition = topics.splitlines()[0] + "\n"
    bash(topics + users + acls, tmp_path, broker)
    assert setup("plan", "--exit-code").returncode == 0
    checked = setup("check")
    assert checked.returncode == 0, checked.stdout
    assert "iterations=8192" in bash(definition + afterwards, tmp_path, broker)
    planned = {(row["kind"], row["status"]) for row in setup.rows("plan")}
    assert {("topic", "create"), ("user", "create"), ("acl", "create")} <= planned
    assert {("partitions", "remark"), ("setting", "change")} <= planned
