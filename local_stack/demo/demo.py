"""The whole pipeline on this machine, started only with the public commands, for `make demo`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any, Protocol

from kafka_setup.defaults import EVENTS_TOPIC
from local_stack import shell_environment, stack
from local_stack.demo import alerts, pipeline, questions
from local_stack.health.peek import Peeked
from local_stack.layout import Stack
from local_stack.processes import StartError

FIRST_EVENT_SECONDS = 120.0
# An attacker guesses passwords from the first second on; the labels mark the events of the attack.
_ATTACK = ("--labels", "--scenario", "brute-force@1")


@dataclass(frozen=True)
class DemoSettings:
    """How long the demo runs, and at which rate.

    `seconds` from the first event in Kafka; None: until interrupted. `rate`: events per second.
    """

    seconds: float | None
    rate: int
    directory: Path


class Show(stack.Reporter, Protocol):
    """The output for the user."""

    def event(self, key: str, value: str, count: int) -> None:
        """Show the record number `count` of the topic."""

    def alert(self, line: str) -> None:
        """Show an alert of win-event-detect that is new or has grown."""

    def score(self, table: str) -> None:
        """Show the comparison of alerts and attacks, as win-event-detect prints it."""

    def summary(self, produced: int, report: dict[str, Any]) -> None:
        """Show the `report` of win-event-verify."""

    def answers(self, question: str, rows: list[Peeked]) -> None:
        """Show the answers of analytics about all events."""


def run(settings: DemoSettings, show: Show) -> bool:
    """Start everything, show events arriving in Kafka, stop, audit. True if nothing is missing.

    Raises StartError, JarError.
    """
    with pipeline.own_stack(settings.directory, show) as demo_stack:
        return _pipeline(demo_stack, settings, show)


def _pipeline(demo_stack: Stack, settings: DemoSettings, show: Show) -> bool:
    with alerts.watched(demo_stack, EVENTS_TOPIC, show):
        with pipeline.producer(demo_stack, ["--rate", str(settings.rate), *_ATTACK]) as port:
            show.done(f"win-event-producer on 127.0.0.1:{port}, {settings.rate} events/s")
            job = pipeline.submit(demo_stack, port, show)
            _watch(demo_stack, settings, show)
            show.doing("stopping the producer and letting the last events through")
        report = pipeline.audit(demo_stack, job)
    show.summary(pipeline.produced(demo_stack), report)
    show.score(alerts.score(demo_stack, EVENTS_TOPIC))
    for question, rows in questions.ask(demo_stack, EVENTS_TOPIC, show).items():
        show.answers(question, rows)
    return pipeline.is_complete(report)


def _watch(demo_stack: Stack, settings: DemoSettings, show: Show) -> None:
    """Show the output of kafka-console-consumer as the user `reader`, until the time is over or Ctrl-C."""
    show.doing("waiting for the first event in Kafka")
    command = [str(demo_stack.bin / "kafka-console-consumer.sh")]
    command += ["--topic", EVENTS_TOPIC, "--from-beginning"]
    command += ["--bootstrap-server", demo_stack.bootstrap_servers]
    command += ["--command-config", str(shell_environment.client_config(demo_stack, "reader"))]
    command += ["--formatter-property", "print.key=true", "--formatter-property", "key.separator=\t"]
    log = demo_stack.logs / "console-consumer.log"
    with log.open("wb") as errors:
        consumer = subprocess.Popen(
            command,
            env=pipeline.shell(demo_stack),
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert consumer.stdout is not None  # noqa: S101 - it is PIPE
    first = Event()
    reader = Thread(target=_show_events, args=(consumer.stdout, show, first), daemon=True)
    reader.start()
    try:
        if not first.wait(FIRST_EVENT_SECONDS):
            manager = demo_stack.logs / "taskmanager-1.log"
            raise StartError(f"no event was in Kafka after {FIRST_EVENT_SECONDS:.0f} s", manager)
        reader.join(settings.seconds)
        if not reader.is_alive():
            raise StartError("kafka-console-consumer stopped by itself", log)
    except KeyboardInterrupt:
        pass  # Ctrl-C ends the showing: continue with the audit
    finally:
        consumer.terminate()
        consumer.wait()


def _show_events(output: IO[bytes], show: Show, first: Event) -> None:
    for count, line in enumerate(output, start=1):
        first.set()
        key, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("\t")
        show.event(key, value, count)
    first.set()  # it has ended, so there is no need to wait
