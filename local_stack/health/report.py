"""The current state of the stack: processes, topics, consumer groups, jobs, producer; as data and as JSON.

A part that does not answer is named in `problems`; the rest is still reported.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from functools import partial
from http.client import HTTPException
from typing import TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kafka_setup.cluster_facts import ClusterFacts, read_facts
from kafka_setup.connection.session import KafkaUnavailableError, OnWait, connect
from local_stack import observe, processes
from local_stack.broker import broker, kafka_objects
from local_stack.health import jobs as flink_jobs
from local_stack.health import warnings
from local_stack.health.jobs import Job
from local_stack.health.kafka_risks import read_warnings
from local_stack.health.producer import Producer, read_producer
from local_stack.health.warnings import CheckResult
from local_stack.layout import Stack
from toolkit.addresses import LOOPBACK
from toolkit.waiting import after_silence

T = TypeVar("T")
_SILENCE = 5.0
_ODD_ANSWERS = (
    KeyError,
    TypeError,
    ValueError,
    HTTPException,
)  # of a REST API that is not Flink's, for example


@dataclass(frozen=True)
class Part:
    name: str
    state: str  # "running" or "stopped"
    pid: int | None
    where: str


@dataclass(frozen=True)
class Topic:
    """A topic: `records` are kept now, `written` counts all ever; `newest_age` is in seconds."""

    name: str
    partitions: int
    records: int
    written: int
    newest_age: float | None


@dataclass(frozen=True)
class Group:
    name: str
    state: str
    members: int
    lag: int


@dataclass(frozen=True)
class Report:
    at: float  # seconds since the epoch
    parts: list[Part]
    topics: list[Topic] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    producer: Producer | None = None
    problems: list[str] = field(default_factory=list)
    warnings: list[CheckResult] = field(default_factory=list)


class Reader:
    """Reads the state of the stack; keeps its connection to Kafka between two reports.

    `on_wait` is told which part has not answered for 5 s; a report waits a minute for it.
    """

    def __init__(self, stack: Stack, on_wait: OnWait | None = None) -> None:
        self._stack, self._on_wait = stack, on_wait
        self._admin: AdminClient | None = None
        self._problems: list[str] = []

    def report(self) -> Report:
        stack, self._problems = self._stack, []
        parts = [_part(stack, daemon) for daemon in processes.recorded(stack)]
        running = {part.name for part in parts if part.state == "running"}
        brokers = {broker.name(number) for number in stack.broker_numbers}
        facts = self._try("Kafka", self._facts) if brokers & running else None
        jobs = None
        if "jobmanager" in running:
            jobs = self._try("Flink", lambda: flink_jobs.read_jobs(stack.flink_url))
        topics, groups = _kafka(facts) if facts else ([], [])
        warned = [each for job in jobs or [] for each in warnings.of_job(job)]
        warned += self._try("Kafka", lambda: self._risks(facts)) or [] if facts else []
        with self._waiting_for(f"the producer at {stack.producer_metrics}"):
            producer = read_producer(stack.producer_metrics)
        return Report(time.time(), parts, topics, groups, jobs or [], producer, self._problems, warned)

    def _risks(self, facts: ClusterFacts) -> list[CheckResult]:
        return [] if self._admin is None else list(read_warnings(self._stack, self._admin, facts))

    def _facts(self) -> ClusterFacts:
        if self._admin is None:
            user = kafka_objects.watcher(self._stack)
            self._admin = connect(kafka_objects.connection(self._stack, user))
        return read_facts(self._admin)

    def _waiting_for(self, name: str) -> AbstractContextManager[None]:
        return after_silence(_SILENCE, partial(self._on_wait or (lambda _: None), name))

    def _try(self, name: str, read: Callable[[], T]) -> T | None:
        try:
            with self._waiting_for(name):
                return read()
        except (KafkaUnavailableError, KafkaException, OSError, *_ODD_ANSWERS) as error:
            self._admin = None
            self._problems.append(f"{name} does not answer: {error}")
            return None


def as_json(found: Report) -> str:
    return json.dumps(asdict(found), indent=2)


def _kafka(facts: ClusterFacts) -> tuple[list[Topic], list[Group]]:
    now = time.time()
    topics = [
        Topic(
            topic.name,
            len(topic.partitions),
            topic.records,
            topic.end,
            None if topic.newest is None else round(max(0.0, now - topic.newest), 3),
        )
        for topic in facts.topics
    ]
    return topics, [Group(group.name, group.state, group.members, group.lag) for group in facts.groups]


def _part(stack: Stack, daemon: processes.Daemon) -> Part:
    alive = daemon.process() is not None
    places = {broker.name(n): f"{LOOPBACK}:{stack.kafka_port_of(n)}" for n in stack.broker_numbers}
    places |= {"jobmanager": stack.flink_url, "prometheus": observe.url(stack)}
    places |= {"console": stack.console_url, "sql-gateway": stack.sql_url, "cache": stack.cache_url}
    where = places.get(daemon.name, "")
    return Part(daemon.name, "running" if alive else "stopped", daemon.pid if alive else None, where)
