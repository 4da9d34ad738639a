"""A whole pipeline on a local stack, started only with the public commands, for all demonstrations."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kafka_setup.defaults import EVENTS_TOPIC, REJECTED_TOPIC
from local_stack import processes, shell_environment, stack
from local_stack.cluster import flink_run, submission
from local_stack.layout import COMMANDS, Stack, load_stack
from local_stack.processes import StartError
from local_stack.stack import Reporter
from toolkit import flink_rest
from toolkit.addresses import LOOPBACK, PRODUCER_HTTP_PORT

PRODUCER = "producer"
DRAIN_SECONDS = 60.0


@contextmanager
def own_stack(directory: Path, reporter: Reporter) -> Iterator[Stack]:
    """A separate stack for the demo, as long as the demo runs. Raises StartError, JarError."""
    started = stack.up(_fresh(directory), stack.PARTS, reporter)
    try:
        yield started
    finally:
        reporter.doing("stopping the cluster and the broker")
        stack.down(started, wipe=False)
        reporter.done("stopped")


def _fresh(directory: Path) -> Stack:
    """An empty stack for the demo, on the usual ports if they are free."""
    stack.down(load_stack(directory), wipe=True)
    new = Stack(directory)
    names = ("kafka_port", "controller_port", "flink_port", "jobmanager_port", "console_port")
    ports: dict[str, Any] = {name: processes.free_port(getattr(new, name)) for name in names}
    http = f"{LOOPBACK}:{processes.free_port(PRODUCER_HTTP_PORT)}"
    return replace(new, **ports, console=True, producer_metrics=http)


def submit(demo_stack: Stack, port: int, reporter: Reporter) -> str:
    """Submit the bridge with headers; returns the job's id. Raises StartError."""
    reporter.doing(
        "submitting flink_bridge/job.py: starting Flink's client, a JVM, and Python, which builds the job"
    )
    options = ["--hostname", "127.0.0.1", "--port", str(port), "--kafka-topic", EVENTS_TOPIC]
    wanted = submission.program([*options, "--headers", "source,level,event_id"])
    began, said = time.monotonic(), []
    try:
        for line in submission.submit(demo_stack, wanted, ()):
            said.append(line)
            if identity := flink_run.job_id(line):
                took = time.monotonic() - began
                reporter.done(f"bridge submitted in {took:.0f} s; Flink's web UI: {demo_stack.flink_url}")
                found = identity
            else:
                reporter.doing("submitting flink_bridge/job.py: sending the job to the cluster")
    except StartError as error:
        raise StartError("\n".join([*said, str(error)])) from error
    return found


def audit(demo_stack: Stack, job: str) -> dict[str, Any]:
    """Compare the topic with the ledger until no event is on its way any more; then stop the job."""
    deadline = time.monotonic() + DRAIN_SECONDS
    report = _verify(demo_stack)
    while (report["unseen"] or report["lost"]) and time.monotonic() < deadline:
        report = _verify(demo_stack)
    flink_rest.cancel(demo_stack.flink_url, job)
    return report


def is_complete(report: dict[str, Any]) -> bool:
    """Whether every event that was produced is in the topic, unchanged."""
    return bool(report["ok"]) and report["lost"] + report["unseen"] == 0 < report["records"]


def produced(demo_stack: Stack) -> int:
    """The number of events in the producer's ledger, without a torn last line."""
    blocks = [
        json.loads(line)
        for line in ledger(demo_stack).read_text().splitlines(keepends=True)[1:]
        if line[-1] == "\n"
    ]
    return sum(block["last"] - block["first"] + 1 for block in blocks if "last" in block)


def _verify(demo_stack: Stack) -> dict[str, Any]:
    topics = ["--topic", EVENTS_TOPIC, "--rejected-topic", REJECTED_TOPIC]
    command = [str(COMMANDS / "win-event-verify"), "--json", *topics]
    environment = shell(demo_stack) | shell_environment.login(demo_stack, "reader")
    result = subprocess.run(
        [*command, "--ledger", str(ledger(demo_stack))],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return dict(json.loads(result.stdout))
    except ValueError:
        raise StartError(f"win-event-verify failed: {result.stderr}") from None


@contextmanager
def producer(demo_stack: Stack, options: Sequence[str]) -> Iterator[int]:
    """win-event-producer as a daemon of the stack, writing `ledger(demo_stack)`; yields its port."""
    daemon = start_producer(demo_stack, 0, options)
    try:
        yield port_of(daemon)
    finally:
        processes.stop(demo_stack, processes.running(demo_stack, PRODUCER) or daemon)


def start_producer(demo_stack: Stack, port: int, options: Sequence[str]) -> processes.Daemon:
    """Start the producer on `port`; 0 is a free one."""
    (demo_stack.logs / f"{PRODUCER}.log").unlink(missing_ok=True)
    command = [str(COMMANDS / "win-event-producer"), "--port", str(port), *options]
    command += ["--wait-for-clients", "1", "--ledger", str(ledger(demo_stack))]
    command += ["--http-port", demo_stack.producer_metrics.rpartition(":")[2]]
    return processes.start(demo_stack, PRODUCER, command, dict(os.environ), demo_stack.directory)


def port_of(daemon: processes.Daemon) -> int:
    """The port of the producer, when it listens."""
    log = Path(daemon.log)

    def look() -> re.Match[str] | None:
        return re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8"))

    processes.wait_for(lambda: look() is not None, 60, "not seen: the producer listens", log)
    found = look()
    assert found is not None  # noqa: S101 - the log only grows
    return int(found[1])


def ledger(demo_stack: Stack) -> Path:
    return demo_stack.directory / "ledger.ndjson"


def shell(demo_stack: Stack) -> dict[str, str]:
    """The environment in which each tool finds this stack, without a login of the user's own shell."""
    ours = {**os.environ, **shell_environment.exports(demo_stack), "WIN_EVENT_TOPOLOGY": ""}
    return ours | shell_environment.login(demo_stack, "bridge")
