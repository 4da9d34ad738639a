"""win-event-stack with a real broker and a real cluster, as a user sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from running import BIN, RunningStack, free_ports, renamed_topology, run, wait_until

from kafka_setup.topology.file import load_topology
from local_stack import processes, shell_environment
from local_stack.layout import load_stack

pytestmark = pytest.mark.integration


def test_up_again_changes_nothing(stack: RunningStack) -> None:
    result = run(BIN / "win-event-stack", "up", env=stack.environment)
    assert result.returncode == 0, result.stderr
    assert "Kafka broker is already running" in result.stderr
    assert "Flink JobManager is already running" in result.stderr
    assert "created" not in result.stderr
    assert "changed" not in result.stderr
    assert result.stderr.splitlines()[-1] == shell_environment.how_to_enter(
        stack.stack
    )  # the whole line can be pasted


def test_other_ports_under_a_running_stack_are_refused(stack: RunningStack) -> None:
    result = run(BIN / "win-event-stack", "up", "--kafka-port", "1", env=stack.environment)
    assert result.returncode == 1
    assert "win-event-stack down" in result.stderr


def test_status_tells_what_runs(stack: RunningStack) -> None:
    result = run(BIN / "win-event-stack", "status", "--json", env=stack.environment)
    parts = {part["name"]: part["state"] for part in json.loads(result.stdout)["parts"]}
    # Another test of the session may have asked for more, such as the SQL Gateway or the console.
    assert parts.keys() >= {"kafka-1", "jobmanager", "taskmanager-1", "watchdog"}
    assert set(parts.values()) == {"running"}


def test_doctor_finds_nothing_wrong(stack: RunningStack) -> None:
    result = run(BIN / "win-event-stack", "doctor", env=stack.environment)
    assert result.returncode == 0, result.stdout
    assert "problem" not in result.stdout


def test_env_makes_kafkas_own_tools_work(stack: RunningStack) -> None:
    script = (
        '. <(win-event-stack env) && kafka-topics.sh --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" '
        '--command-config "$KAFKA_ADMIN_CONFIG" --list && flink list'
    )
    result = run("bash", "-c", script, env=stack.shell())
    assert result.returncode == 0, result.stderr
    assert {"events_processed", "events_rejected"} <= set(result.stdout.split())


def test_env_logs_each_tool_in_by_itself(stack: RunningStack) -> None:
    script = """. <(win-event-stack env)
        win-event-verify --topic events_processed --rejected-topic events_rejected
        win-event-kafka-setup plan
        KAFKA_USERNAME=reader win-event-kafka-setup plan"""
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    result = run("bash", "-c", script, env=stack.environment | path)
    assert "records" in result.stdout  # of win-event-verify
    assert "as wanted" in result.stderr  # of the first plan
    assert result.stderr.count("may not") + result.stderr.count("not allowed") == 1, result.stderr


@pytest.fixture
def own_topology(broker: RunningStack, tmp_path: Path) -> Iterator[Path]:
    """Other topics, with six partitions for events; afterwards the shipped topology is used again."""
    file = tmp_path / "own topology.yaml"
    file.write_text(renamed_topology("_own").replace("partitions: 3", "partitions: 6", 1))
    yield file
    replace(load_stack(broker.stack.directory), topology="").save()


def test_a_topology_of_ones_own_is_applied_remembered_and_may_be_outgrown(
    broker: RunningStack, own_topology: Path
) -> None:
    def up(*options: str) -> str:
        result = run(BIN / "win-event-stack", "up", "--only", "kafka", *options, env=broker.environment)
        assert result.returncode == 0, result.stderr
        return str(result.stderr)

    assert "created" in up("--topology", str(own_topology))
    own_topology.write_text(own_topology.read_text().replace("partitions: 6", "partitions: 2", 1))
    assert "events_processed_own has 6 partitions, the topology says 2: left unchanged" in up()

    result = run(BIN / "win-event-stack", "doctor", env=broker.environment)
    assert "those of the topology" in result.stdout
    own_topology.write_text("topics: nonsense\n")
    broken = run(BIN / "win-event-stack", "up", "--only", "kafka", env=broker.environment)
    assert broken.returncode == 1
    assert [line[:6] for line in broken.stderr.splitlines()] == ["error:"]  # and nothing of a log
    assert str(own_topology) in broken.stderr


def test_logs_shows_a_log_and_names_them_all(stack: RunningStack) -> None:
    assert (
        "started"
        in run(BIN / "win-event-stack", "logs", "-n", "1000000", "kafka-1", env=stack.environment).stdout
    )
    unknown = run(BIN / "win-event-stack", "logs", "nobody", env=stack.environment)
    assert unknown.returncode == 2
    named = unknown.stderr.partition("There are: ")[2].strip().split(", ")
    assert {"jobmanager", "kafka-1", "taskmanager-1", "watchdog"} <= set(named)


def test_secrets_are_for_their_owner_only(stack: RunningStack) -> None:
    files = list(stack.stack.secrets.iterdir())
    assert len(files) == 2 + len(load_topology().users)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len({file.read_text() for file in files}) == len(files)


def test_everything_listens_on_loopback_only(stack: RunningStack) -> None:
    names = {d.pid: d.name for d in processes.recorded(stack.stack) if d.name != "watchdog"}
    listening = [
        c for c in psutil.net_connections("tcp") if c.pid in names and c.status == psutil.CONN_LISTEN
    ]
    assert {connection.pid for connection in listening} == set(names)
    loopback = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
    assert [(names[c.pid], c.laddr) for c in listening if next(iter(c.laddr)) not in loopback] == []


def test_a_killed_taskmanager_comes_back(stack: RunningStack) -> None:
    before = processes.running(stack.stack, "taskmanager-1")
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)

    def back() -> bool:
        now = processes.running(stack.stack, "taskmanager-1")
        return now is not None and now.pid != before.pid

    wait_until(back, "the watchdog starts it again")
    wait_until(lambda: stack.rest("/overview")["slots-available"] == 4, "its slots are there again")


def test_a_busy_port_stops_up_and_leaves_nothing_running(tmp_path: Path) -> None:
    running = RunningStack.at(tmp_path / "stack")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = run(BIN / "win-event-stack", "up", "--kafka-port", port, env=running.environment)
    assert result.returncode == 1
    assert f"port {port} (Kafka) is busy" in result.stderr
    assert run(BIN / "win-event-stack", "down", env=running.environment).stderr == "nothing was running\n"


@pytest.fixture
def stack_afterwards_alone(stack: RunningStack) -> Iterator[RunningStack]:
    """What a console asks for all the time would cost the tests after it."""
    yield stack
    for name in ("console", "cache"):
        if daemon := processes.running(stack.stack, name):
            processes.stop(stack.stack, daemon)
    stack.up("--no-console", "--no-cache")


def test_up_starts_the_console_with_a_cache_and_says_where_they_are(
    stack_afterwards_alone: RunningStack,
) -> None:
    stack = stack_afterwards_alone
    console, cache = map(str, free_ports(2))
    options = ["--console", "--console-port", console, "--cache", "--cache-port", cache]
    result = run(BIN / "win-event-stack", "up", *options, env=stack.environment)
    assert result.returncode == 0, result.stderr
    assert f"console on http://127.0.0.1:{console}" in result.stderr
    assert f"cache ready on redis://127.0.0.1:{cache}" in result.stderr
    with urlopen(f"http://127.0.0.1:{console}/", timeout=60) as page:
        assert b"<html" in page.read()

    def cache_state() -> str:
        with urlopen(f"http://127.0.0.1:{console}/api/v1/status", timeout=60) as answer:
            services = json.load(answer)["services"]
        return next(str(each["state"]) for each in services if each["name"] == "cache")

    wait_until(lambda: cache_state() == "up", "the console has logged in to the cache")
    password = (stack.stack.directory / "cache" / "password").read_text()
    found = [process for daemon in processes.recorded(stack.stack) if (process := daemon.process())]
    assert {"cache", "console"} <= {daemon.name for daemon in processes.recorded(stack.stack)}
    assert not [process for process in found if password in " ".join(process.cmdline())]
