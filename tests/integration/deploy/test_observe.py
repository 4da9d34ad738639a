"""`up --observe`, `status` and `doctor` on a stack that works: a producer, the bridge, a consumer group."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from confluent_kafka import Consumer
from promql import dashboard_expressions, named_metrics
from running import BIN, RunningProducer, RunningStack, free_ports, run, wait_until

from kafka_setup.topology.file import load_topology
from local_stack import processes

pytestmark = pytest.mark.integration

GROUP = "win-event-dashboard-test"
# Prometheus makes this one itself, and only while an alert is pending or firing.
# The second and third are of questions about windows; only the bridge runs here. analytics/test_topic.py has
# them. The fourth has a series for each rule that alerted; console/test_api.py has it.
_NOT_SCRAPED = {
    "ALERTS",
    "flink_taskmanager_job_task_operator_numLateRecordsDropped",
    "flink_taskmanager_job_task_currentInputWatermark",
    "win_event_alerts_total",
    # Only containers have a limit; alerts.test.yml has them.
    "win_event:memory_limit:bytes",
    "win_event:process_memory:ratio",
}
# The panels without a value while only the bridge runs.
_EMPTY_PANELS = {
    # Only an operator with windows counts late records.
    "Late, and their window closed: in no answer and not in events_late",
    # The bridge makes no watermarks, and the panel leaves out Flink's number for none.
    "Watermark behind the clock",
    # A series for each rule that alerted, and none did.
    "New alerts by rule, in five minutes",
    "Alerts by rule, since the console started",
}


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("observed")
    running = RunningStack.at(folder / "stack")
    names = ("--kafka-port", "--controller-port", "--flink-port", "--jobmanager-port", "--prometheus-port")
    names += ("--console-port",)
    *ports, http_port, port = free_ports(len(names) + 2)
    options = [word for name, number in zip(names, ports, strict=True) for word in (name, str(number))]
    options += ["--metrics-port", str(free_ports(20)[0]), "--producer-metrics", f"127.0.0.1:{http_port}"]
    running.environment["PATH"] = f"{os.environ['PATH']}:{Path('.tools/prometheus/usr/bin').resolve()}"
    try:
        running.up("--observe", "--console", *options)
        producer = RunningProducer(folder, "--rate", "100", "--http-port", str(http_port), port=port)
        try:
            running.submit("--hostname", "127.0.0.1", "--port", str(port), "--event-timestamps")
            _consume(running)
            socket.create_connection(("127.0.0.1", port)).close()  # a client that goes away
            yield running
        finally:
            producer.stop()
    finally:
        running.down()


def _consume(running: RunningStack) -> None:
    """Commit the position of a consumer group after its first events."""
    login = running.stack.secrets / "reader"
    consumer = Consumer(
        {
            "bootstrap.servers": running.stack.bootstrap_servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "reader",
            "sasl.password": login.read_text(),
            "group.id": GROUP,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(["events_processed"])
    try:
        message = wait_until(lambda: consumer.poll(1.0), "an event is in events_processed")
        assert message.error() is None, message.error()
        consumer.commit(message, asynchronous=False)
    finally:
        consumer.close()


def _prometheus(running: RunningStack, path: str) -> Any:
    with urlopen(f"http://127.0.0.1:{running.stack.prometheus_port}/api/v1/{path}", timeout=60) as answer:
        return json.load(answer)["data"]


def test_every_target_answers(observed: RunningStack) -> None:
    def down() -> list[str]:
        targets = _prometheus(observed, "targets")["activeTargets"]
        return [f"{t['labels']['job']}: {t['lastError']}" for t in targets if t["health"] != "up"]

    wait_until(lambda: not down(), "every target answers", told=down)
    jobs = {target["labels"]["job"] for target in _prometheus(observed, "targets")["activeTargets"]}
    assert jobs == {
        "producer",
        "jobmanager",
        "taskmanager",
        "broker",
        "kafka",
        "prometheus",
        "console",
        "processes",
    }


def test_every_metric_of_dashboards_and_alerts_exists(observed: RunningStack) -> None:
    def missing() -> set[str]:
        present = set(_prometheus(observed, "label/__name__/values"))
        return named_metrics() - _NOT_SCRAPED - present

    with suppress(AssertionError):
        wait_until(lambda: not missing(), "every named metric exists")
    assert not missing()


def _of_any_job(expression: str) -> str:
    return re.sub(r"win[.-]event[.-]analytics\.\*", ".+", expression)


def test_every_panel_can_be_computed(observed: RunningStack) -> None:
    """No job of analytics runs here, so its panels are asked about every job and every group."""
    waiting = {_of_any_job(expression): panel for panel, expression in dashboard_expressions()}
    assert set(waiting.values()) > _EMPTY_PANELS

    def empty() -> dict[str, str]:
        for expression, panel in list(waiting.items()):
            try:
                found = _prometheus(observed, f"query?query={quote(expression)}")["result"]
            except URLError as error:
                pytest.fail(f"{panel}: {expression}: {error}")
            if found or panel in _EMPTY_PANELS:
                del waiting[expression]
        return waiting

    wait_until(lambda: not empty(), "every panel has a value", told=lambda: waiting)


def test_every_process_of_the_stack_is_measured(observed: RunningStack) -> None:
    daemons = {daemon.name for daemon in processes.recorded(observed.stack)}

    def measured(name: str) -> set[str]:
        found = _prometheus(observed, f"query?query={quote(name + ' > 0')}")["result"]
        return {each["metric"]["process"] for each in found}

    for name in ("win_event_process_up", "win_event:process_cpu:rate1m", "win_event:process_memory:bytes"):
        wanted = daemons if name.endswith("up") else daemons | {"producer"}
        with suppress(AssertionError):
            wait_until(lambda name=name, wanted=wanted: measured(name) >= wanted, name)
        assert measured(name) >= wanted
    assert {"kafka-1", "jobmanager", "taskmanager-1", "watchdog", "console", "prometheus"} <= daemons


def test_rates_and_latency_are_measured(observed: RunningStack) -> None:
    def measured() -> bool:
        names = ("win_event:in:rate1m", "win_event:out:rate1m", "win_event:latency:seconds")
        found = [_prometheus(observed, f"query?query={name}")["result"] for name in names]
        return all(result and float(result[0]["value"][1]) > 0 for result in found)

    wait_until(measured, "in, out and latency are above 0")


def test_status_tells_topics_groups_jobs_and_clients(observed: RunningStack) -> None:
    def complete() -> dict[str, Any] | None:
        result = run(BIN / "win-event-stack", "status", "--json", env=observed.environment)
        assert result.returncode == 0, result.stderr
        report = dict(json.loads(result.stdout))
        job = report["jobs"][0]
        return report if job["checkpoints"] and job["written"] else None

    report = wait_until(complete, "status sees a checkpoint and records")
    assert report["problems"] == []
    topics = {topic["name"]: topic for topic in report["topics"]}
    assert set(topics) == {topic.name for topic in load_topology().topics}
    assert topics["events_processed"]["partitions"] == 3
    assert topics["events_processed"]["records"] > 0
    assert [(group["name"], group["members"]) for group in report["groups"]] == [(GROUP, 0)]
    assert report["groups"][0]["lag"] > 0
    assert report["jobs"][0]["state"] == "RUNNING"
    assert report["jobs"][0]["restarts"] == 0
    assert len(report["producer"]["clients"]) == 1
    assert report["producer"]["events"] > 0


def test_status_in_a_pipe_is_printed_once(observed: RunningStack) -> None:
    result = run(BIN / "win-event-stack", "status", env=observed.environment)
    assert result.returncode == 0, result.stderr
    assert "\x1b" not in result.stdout
    for words in ("events_processed", GROUP, "RUNNING", "taskmanager-1", "127.0.0.1:"):
        assert words in result.stdout


def test_status_on_a_terminal_is_redrawn_until_interrupted(observed: RunningStack) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [BIN / "win-event-stack", "status", "--interval", "0.5"],
        env={**os.environ, **observed.environment, "TERM": "xterm", "COLUMNS": "140", "LINES": "50"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    screen = b""
    try:
        while screen.count(b"events_processed") < 3:  # drawn and drawn again
            screen += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # the other end is closed when the program ends
            while chunk := os.read(ours, 65536):
                screen += chunk
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert b"\x1b[?1049h" in screen  # the alternate screen, and back again
    assert b"\x1b[?1049l" in screen
    assert b"Traceback" not in screen


def test_doctor_examines_logins_topics_clocks_and_sockets(observed: RunningStack) -> None:
    result = run(BIN / "win-event-stack", "doctor", env=observed.environment)
    assert result.returncode == 0, result.stdout + result.stderr
    found = re.search(r"ok +(\S+) accepts connections", result.stdout)
    assert found is not None, result.stdout
    again = run(BIN / "win-event-stack", "doctor", "--hostname", found[1], env=observed.environment)
    assert again.stdout.count(f"{found[1]} accepts connections") == 1, again.stdout
    for user in ("bridge", "reader", "analytics", "detection", "admin", "observer"):
        assert f"login as {user}\n" in result.stdout
    for words in (
        "those of the topology",
        "clock",
        "UTF-8",
        "client and workers: Python",
        "accepts connections",
    ):
        assert words in result.stdout


def test_doctor_says_what_to_do_about_a_problem(observed: RunningStack) -> None:
    nobody = free_ports(1)[0]
    command = (BIN / "win-event-stack", "doctor", "--hostname", f"127.0.0.1:{nobody}")
    result = run(*command, env=observed.environment)
    assert result.returncode == 1
    assert f"nothing to read at 127.0.0.1:{nobody}" in result.stdout
    assert f"win-event-producer --port {nobody}" in result.stdout
