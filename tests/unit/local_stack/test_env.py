"""`win-event-stack env`: a shell in which each tool is the right user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import BIN, run

from flink_bridge.kafka.options_cli import take_kafka
from kafka_setup.connection.options import take_connection
from local_stack import shell_environment
from local_stack.broker.stack_passwords import ensure_passwords
from local_stack.cli import main
from local_stack.cluster.cluster import base_environment
from local_stack.layout import Stack

pytestmark = pytest.mark.programs

USERS = ("bridge", "reader", "analytics", "detection", "connect", "observer", "admin")
LEFT_OVER = {
    "KAFKA_USERNAME": "me",
    "KAFKA_PASSWORD": "mine",
    "KAFKA_CA_FILE": "/gone",
    "KAFKA_TOPIC": "of.another.stack",
    "KAFKA_REJECTED_TOPIC": "of.another.stack",
    "WIN_EVENT_TOPOLOGY": "/gone",
}
_OPTIONS = {
    "kafka_bootstrap_servers": "127.0.0.1:9092",
    "kafka_security_protocol": "SASL_PLAINTEXT",
    "kafka_sasl_mechanism": "SCRAM-SHA-512",
    "kafka_username": None,
    "kafka_ca_file": None,
    "kafka_certificate_file": None,
    "kafka_key_file": None,
    "kafka_password_file": None,
    "kafka_property": (),
}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack that was started once; no shell has its variables yet."""
    for name in [name for name in os.environ if name.startswith(("KAFKA_", "WIN_EVENT_"))]:
        monkeypatch.delenv(name)
    made = Stack(tmp_path / "a stack")
    made.save()
    ensure_passwords(made.secrets, USERS)
    return made


def _enter(stack: Stack, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
    """Do to this process what a shell does with the output."""
    result = CliRunner().invoke(main, ["env", *options], env={"WIN_EVENT_STACK_DIR": str(stack.directory)})
    assert result.exit_code == 0, result.output
    shown = run("bash", "-c", f"{result.stdout}\nenv -0", env=LEFT_OVER)
    for line in shown.stdout.split("\0"):
        name, _, value = line.partition("=")
        if name.startswith(("KAFKA_", "WIN_EVENT_")):
            monkeypatch.setenv(name, value)


def test_each_tool_logs_in_as_the_user_that_is_made_for_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    _enter(stack, monkeypatch)
    for role in ("reader", "admin", "observer"):
        connection = take_connection(dict(_OPTIONS), role)
        assert (connection.username, connection.password) == (role, (stack.secrets / role).read_text())
    for role in ("bridge", "analytics", "detection"):
        settings = take_kafka(dict(_OPTIONS), role)
        assert (settings.username, settings.password_file) == (role, str(stack.secrets / role))


def test_a_user_that_is_named_wins(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter(stack, monkeypatch)
    connection = take_connection({**_OPTIONS, "kafka_username": "observer"}, "reader")
    assert (connection.username, connection.password) == (
        "observer",
        (stack.secrets / "observer").read_text(),
    )
    monkeypatch.setenv("KAFKA_PASSWORD", "another")
    assert take_connection({**_OPTIONS, "kafka_username": "me"}, "reader").password == "another"


def test_as_user_logs_every_tool_in_as_that_one(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter(stack, monkeypatch, "--as", "reader")
    assert os.environ["KAFKA_USERNAME"] == "reader"
    assert (
        take_connection(dict(_OPTIONS) | {"kafka_username": "reader"}, "admin").password
        == (stack.secrets / "reader").read_text()
    )


def test_nothing_is_left_of_another_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter(stack, monkeypatch)
    assert not {"KAFKA_CA_FILE", "WIN_EVENT_TOPOLOGY"} & os.environ.keys()


def test_as_somebody_unknown_names_the_users(stack: Stack) -> None:
    command = (BIN / "win-event-stack", "env", "--as", "nobody")
    result = run(*command, env={"WIN_EVENT_STACK_DIR": str(stack.directory)})
    assert (result.returncode, result.stdout) == (1, "")
    assert "There are: bridge, reader" in result.stderr


def test_without_a_stack_it_says_what_comes_first(tmp_path: Path) -> None:
    result = run(BIN / "win-event-stack", "env", env={"WIN_EVENT_STACK_DIR": str(tmp_path)})
    assert (result.returncode, result.stdout) == (1, "")
    assert "First: win-event-stack up" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_the_line_that_up_prints_works_in_a_fresh_shell(stack: Stack, shell: str) -> None:
    line = shell_environment.how_to_enter(stack)
    script = f"cd / && {line} && command -v win-event-stack && echo $WIN_EVENT_STACK_DIR"
    fresh = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    result = run("env", "-i", *(f"{k}={v}" for k, v in fresh.items()), shell, "-c", script)
    assert result.stdout.splitlines() == [
        str(Path(sys.executable).parent / "win-event-stack"),
        str(stack.directory),
    ], result.stderr


def test_python_inside_a_taskmanager_is_ours_in_a_shell_that_does_not_know_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    shown = subprocess.run(
        ["python3", "-c", "import sys, pemja; print(sys.prefix)"],
        env=base_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == sys.prefix
