"""The pipeline while everything in it is killed in turn; `make demo-faults`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from local_stack import processes
from local_stack.broker import broker, kafka_objects
from local_stack.cluster import rest as flink_rest
from local_stack.demo import demo, pipeline
from local_stack.layout import Stack

RECOVERY_SECONDS = 120.0
_BROKER = broker.name(1)
VICTIMS = ("taskmanager-1", _BROKER, pipeline.PRODUCER)


@dataclass(frozen=True)
class FaultSettings:
    """`rate`: events a second; `pause`: seconds of undisturbed work before each kill and after the last."""

    rate: int
    pause: float
    directory: Path


@dataclass(frozen=True)
class Status:
    """What runs right now (pid, or None), what has been produced, and what is in Kafka (None: no answer)."""

    pids: dict[str, int | None]
    job: str
    produced: int
    in_kafka: int | None


class FaultShow(demo.Show, Protocol):
    def status(self, now: Status) -> None:
        """Called several times a second."""

    def struck(self, name: str, pid: int) -> None:
        """`name` was killed with SIGKILL."""

    def recovered(self, name: str, pid: int, seconds: float) -> None:
        """It runs again as `pid`, and events reach Kafka again after so many seconds."""


def run(settings: FaultSettings, show: FaultShow) -> bool:
    """Start everything, kill each victim, audit. True when nothing is missing.

    Raises StartError, JarError.
    """
    with pipeline.own_stack(settings.directory, show) as demo_stack:
        return _pipeline(demo_stack, settings, show)


def _pipeline(demo_stack: Stack, settings: FaultSettings, show: FaultShow) -> bool:
    log = demo_stack.directory / "event-log"
    options = ["--rate", str(settings.rate), "--log-dir", str(log)]
    with pipeline.producer(demo_stack, options) as port:
        show.done(f"win-event-producer on 127.0.0.1:{port}, {settings.rate} events/s, its log in {log.name}/")
        job = pipeline.submit(demo_stack, port, show, "--checkpoint-interval", "2")
        watch = _Watch(demo_stack, show)
        watch.until(lambda: watch.in_kafka() > 0)
        restarts: dict[str, Callable[[], object]] = {
            _BROKER: lambda: broker.start_brokers(demo_stack, [1]),
            pipeline.PRODUCER: lambda: pipeline.start_producer(demo_stack, port, options),
        }
        for name in VICTIMS:
            watch.pause(settings.pause)
            _strike(demo_stack, name, restarts.get(name), watch, show)
        watch.pause(settings.pause)
        show.doing("stopping the producer and letting the last events through")
    report = pipeline.audit(demo_stack, job)
    show.summary(pipeline.produced(demo_stack), report, demo_stack.flink_url)
    return pipeline.is_complete(report)


def _strike(
    demo_stack: Stack, name: str, start: Callable[[], object] | None, watch: _Watch, show: FaultShow
) -> None:
    """Kill it; start it again, or let the watchdog do so; wait until new records reach Kafka."""
    victim = processes.running(demo_stack, name)
    process = victim.process() if victim else None
    if process is None:
        raise processes.StartError(f"{name} died by itself", demo_stack.logs / f"{name}.log")
    begin = time.monotonic()
    process.kill()
    show.struck(name, process.pid)
    watch.until(lambda: process.pid not in watch.pids().values())
    before = watch.in_kafka()
    if start:
        start()
    watch.until(lambda: watch.pids()[name] is not None and watch.in_kafka() > max(before, watch.last_known))
    show.recovered(name, watch.pids()[name] or 0, time.monotonic() - begin)


class _Watch:
    """Looks at the stack and shows it, while it waits for something."""

    def __init__(self, demo_stack: Stack, show: FaultShow) -> None:
        self._stack, self._show = demo_stack, show
        login = kafka_objects.connection(demo_stack, "reader").client_settings()
        self._reader = Consumer({**login, "group.id": "win-event-demo", "log_level": 0})
        self.last_known = 0

    def until(self, reached: Callable[[], bool], seconds: float = RECOVERY_SECONDS) -> None:
        """Raises StartError when it does not come about in time."""

        def look() -> bool:
            self._show.status(self._status())
            return reached()

        processes.wait_for(look, seconds, "events did not flow again", self._stack.logs / "jobmanager.log")

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, seconds + RECOVERY_SECONDS)
        self.last_known = max(self.in_kafka(), self.last_known)

    def pids(self) -> dict[str, int | None]:
        found = {name: processes.running(self._stack, name) for name in VICTIMS}
        return {name: daemon.pid if daemon else None for name, daemon in found.items()}

    def in_kafka(self) -> int:
        """Records in the topic; -1 while the broker does not answer."""
        try:
            partitions = [TopicPartition(pipeline.PROCESSED, number) for number in range(3)]
            return sum(self._reader.get_watermark_offsets(p, timeout=1)[1] for p in partitions)
        except KafkaException:
            return -1

    def _status(self) -> Status:
        try:
            states = [job["state"] for job in flink_rest.jobs(self._stack.flink_url)]
        except OSError:
            states = []
        records = self.in_kafka()
        known = records if records >= 0 else None
        return Status(self.pids(), ", ".join(states) or "–", pipeline.produced(self._stack), known)
