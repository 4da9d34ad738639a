"""The whole pipeline on this machine, through the public commands only; what `make demo` runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import IO, Any, Protocol

from local_stack import flink_rest, processes, stack, tools
from local_stack.layout import REPOSITORY, Stack, load_stack
from local_stack.processes import StartError

BIN = Path(sys.executable).parent
PROCESSED, REJECTED = "events_processed", "events_rejected"
DRAIN_SECONDS = 60.0


@dataclass(frozen=True)
class DemoSettings:
    """`seconds` None: until interrupted. `rate`: events a second."""

    seconds: float | None
    rate: int
    directory: Path


class Show(stack.Talk, Protocol):
    """What a person sees."""

    def event(self, key: str, value: str, count: int) -> None:
        """The count-th record of the topic has arrived."""

    def summary(self, produced: int, report: dict[str, Any], ui: str) -> None:
        """`report` is win-event-verify's; `ui` is where Flink's web UI was."""


def run(settings: DemoSettings, show: Show) -> bool:
    """Start everything, show events arriving in Kafka, stop, audit. True when nothing is missing.

    Raises StartError, JarError.
    """
    demo_stack = stack.up(_fresh(settings.directory), stack.PARTS, show)
    try:
        return _pipeline(demo_stack, settings, show)
    finally:
        show.doing("stopping the cluster and the broker")
        stack.down(demo_stack, wipe=False)
        show.done("stopped")


def _pipeline(demo_stack: Stack, settings: DemoSettings, show: Show) -> bool:
    ledger = demo_stack.directory / "ledger.ndjson"
    options = ["--rate", str(settings.rate), "--wait-for-clients", "1", "--ledger", str(ledger)]
    with _running(demo_stack, "producer", [str(BIN / "win-event-producer"), "--port", "0", *options]) as log:
        port = _wait(lambda: re.search(r"127\.0\.0\.1:(\d+)", log.read_text()), "the producer listens", log)[
            1
        ]
        show.done(f"win-event-producer on 127.0.0.1:{port}, {settings.rate} events/s")
        job = _submit(demo_stack, port, show)
        _watch(demo_stack, settings, show)
        show.doing("stopping the producer and letting the last events through")
    report = _audit(demo_stack, ledger, job)
    show.summary(_produced(ledger), report, demo_stack.flink_url)
    return bool(report["ok"]) and report["lost"] + report["unseen"] == 0 < report["records"]


def _fresh(directory: Path) -> Stack:
    """A stack of the demo's own, empty, on the usual ports where they are free."""
    stack.down(load_stack(directory), wipe=True)
    new = Stack(directory)
    names = ("kafka_port", "controller_port", "flink_port", "jobmanager_port")
    ports: dict[str, Any] = {name: processes.free_port(getattr(new, name)) for name in names}
    return replace(new, **ports)


def _submit(demo_stack: Stack, port: str, show: Show) -> str:
    show.doing("submitting flink_bridge/job.py to the cluster")
    bridge = str(REPOSITORY / "flink_bridge" / "job.py")
    command = [str(demo_stack.bin / "flink"), "run", "-d", "-py", bridge]
    command += ["--hostname", "127.0.0.1", "--port", port, "--kafka-topic", PROCESSED]
    command += ["--event-timestamps", "--headers", "source,level,event_id"]
    result = subprocess.run(command, env=_shell(demo_stack), capture_output=True, text=True, check=False)
    match = re.search(r"JobID ([0-9a-f]{32})", result.stdout)
    if not match:
        raise StartError(f"flink run failed:\n{result.stdout}{result.stderr}")
    show.done(f"bridge submitted; Flink's web UI: {demo_stack.flink_url}")
    return match[1]


def _watch(demo_stack: Stack, settings: DemoSettings, show: Show) -> None:
    """Show what kafka-console-consumer reads as the reader user, until the time is over or Ctrl-C."""
    show.doing("waiting for the first event in Kafka")
    command = [str(demo_stack.bin / "kafka-console-consumer.sh"), "--topic", PROCESSED, "--from-beginning"]
    command += ["--bootstrap-server", demo_stack.bootstrap_servers]
    command += ["--command-config", str(tools.client_config(demo_stack, "reader"))]
    command += ["--formatter-property", "print.key=true", "--formatter-property", "key.separator=\t"]
    log = demo_stack.logs / "console-consumer.log"
    with log.open("wb") as errors:
        consumer = subprocess.Popen(
            command, env=_shell(demo_stack), stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    assert consumer.stdout is not None  # noqa: S101 - it is PIPE
    reader = Thread(target=_show_events, args=(consumer.stdout, show), daemon=True)
    reader.start()
    try:
        reader.join(settings.seconds)
        if not reader.is_alive():
            raise StartError("kafka-console-consumer stopped by itself", log)
    except KeyboardInterrupt:
        pass  # the person has seen enough: go on to the audit
    finally:
        consumer.terminate()
        consumer.wait()


def _show_events(output: IO[bytes], show: Show) -> None:
    for count, line in enumerate(output, start=1):
        key, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("\t")
        show.event(key, value, count)


def _audit(demo_stack: Stack, ledger: Path, job: str) -> dict[str, Any]:
    """Compare the topic with the ledger until nothing is on its way any more; then stop the job."""
    deadline = time.monotonic() + DRAIN_SECONDS
    report = _verify(demo_stack, ledger)
    while (report["unseen"] or report["lost"]) and time.monotonic() < deadline:
        report = _verify(demo_stack, ledger)
    flink_rest.cancel(demo_stack.flink_url, job)
    return report


def _produced(ledger: Path) -> int:
    """How many events the producer wrote down; a torn last line is not one of them."""
    blocks = [
        json.loads(line) for line in ledger.read_text().splitlines(keepends=True)[1:] if line[-1] == "\n"
    ]
    return sum(block["last"] - block["first"] + 1 for block in blocks)


def _verify(demo_stack: Stack, ledger: Path) -> dict[str, Any]:
    command = [str(BIN / "win-event-verify"), "--json", "--topic", PROCESSED, "--rejected-topic", REJECTED]
    environment = _shell(demo_stack) | {
        "KAFKA_USERNAME": "reader",
        "KAFKA_PASSWORD_FILE": str(demo_stack.secrets / "reader"),
    }
    result = subprocess.run(
        [*command, "--ledger", str(ledger)], env=environment, capture_output=True, text=True, check=False
    )
    try:
        return dict(json.loads(result.stdout))
    except ValueError:
        raise StartError(f"win-event-verify failed: {result.stderr}") from None


@contextmanager
def _running(demo_stack: Stack, name: str, command: Sequence[str]) -> Iterator[Path]:
    """A daemon of the demo; yields its log."""
    (demo_stack.logs / f"{name}.log").unlink(missing_ok=True)
    daemon = processes.start(demo_stack, name, command, dict(os.environ), demo_stack.directory)
    try:
        yield Path(daemon.log)
    finally:
        processes.stop(demo_stack, daemon)


def _wait(look: Callable[[], re.Match[str] | None], what: str, log: Path) -> re.Match[str]:
    processes.wait_for(lambda: look() is not None, 30, f"not seen: {what}", log)
    found = look()
    assert found is not None  # noqa: S101 - the log only grows
    return found


def _shell(demo_stack: Stack) -> dict[str, str]:
    return {**os.environ, **tools.exports(demo_stack)}
