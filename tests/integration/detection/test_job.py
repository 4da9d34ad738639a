"""detection/job.py on the session's cluster tells what one process tells."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import islice
from typing import Any

import pytest
from confluent_kafka import Producer
from reading import read_topic
from running import Job, RunningStack, wait_until

from detection.detector import Detector
from detection.running.rule_source import RuleSource
from local_stack.broker import kafka_objects
from local_stack.layout import REPOSITORY
from producer.events.event_time import read_ticks
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

JOB = str(REPOSITORY / "detection" / "job.py")
ATTACKS = ("brute-force@5", "password-spray@20", "service-install@30", "log-cleared@40", "rogue-account@50")
ACROSS_PARTITIONS = "Somebody works at night"  # what comes first, and so the name, is not decided there
_START = int(time.time()) - 200_000
_CLOSING = 100_000  # seconds later: every window is over
# A partition that a busy machine reads late must not count as idle: what comes from it would be too late.
OPTIONS = ("--max-lateness", "10", "--idle-timeout", "120", "--checkpoint-interval", "1")


def _events(count: int, seed: int) -> list[tuple[bytes, str]]:
    start = datetime.fromtimestamp(_START, timezone.utc)
    settings = GeneratorSettings(seed=seed, scenarios=ATTACKS, start_time=start, hosts=10 + seed)
    return [(event.line.rstrip(b"\n"), event.computer) for event in islice(generate(settings), count)]


def _send(stack: RunningStack, topic: str, events: list[tuple[bytes, str]]) -> None:
    """As the bridge would: key, value, and the event's time as the record's."""
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    for line, computer in events:
        moment = read_ticks(json.loads(line)["timestamp"]) or 0
        producer.produce(topic, line, computer, timestamp=moment // 10_000)
        producer.poll(0)
    assert producer.flush(60) == 0


def _expected(events: list[tuple[bytes, str]]) -> dict[str, int]:
    """Counts of the last word on each alert, by its id."""
    detector = Detector(RuleSource([]).load(), lateness=10)
    block = b"".join(line + b"\n" for line, _ in events)
    found = [*detector.feed(block), *detector.finish()]
    counted = [each for each in found if each.merged_into is None and each.head.title != ACROSS_PARTITIONS]
    return {alert.id: alert.count for alert in counted}


def _close(stack: RunningStack, topic: str) -> None:
    """An event in every partition moves event time on."""
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    line = b'{"timestamp":"2026-01-05T08:00:00Z","event_id":1,"source":"System","computer":"WS-1","data":{}}'
    for partition in range(3):
        producer.produce(topic, line, partition=partition, timestamp=(_START + _CLOSING) * 1000)
    assert producer.flush(60) == 0


def _told(stack: RunningStack) -> dict[str, dict[str, Any]]:
    records = [json.loads(record.value) for record in read_topic(stack, "alerts", 0)]
    return {each["id"]: each for each in records if "rule_id" in each}


@pytest.fixture
def detect(stack: RunningStack, topics: tuple[str, str]) -> Iterator[Callable[..., Job]]:
    jobs: list[Job] = []

    def start(*options: str) -> Job:
        answer = stack.flink_run(
            "--kafka-topic", topics[0], *OPTIONS, *options, user="detection", program=JOB
        )
        assert "JobID " in answer.stdout, answer.stdout + answer.stderr
        jobs.append(Job(stack, answer.stdout.partition("JobID ")[2].split()[0], answer.stdout))
        return jobs[-1]

    yield start
    for job in jobs:
        job.cancel()


def test_the_job_tells_what_one_process_tells(
    stack: RunningStack, topics: tuple[str, str], detect: Callable[..., Job]
) -> None:
    events = _events(8_000, seed=2)
    expected = _expected(events)
    assert len(expected) > 20
    job = detect()
    _send(stack, topics[0], events)
    wait_until(lambda: expected.keys() & _told(stack).keys(), f"first alerts; {job.failures()}", 180)
    _close(stack, topics[0])
    wait_until(
        lambda: {key: each["count"] for key, each in _told(stack).items() if key in expected} == expected,
        f"all alerts; {job.failures()}",
        180,
    )
    ours = RuleSource([]).load().heads
    mine = [each for each in _told(stack).values() if each["rule_id"] in ours]
    mine = [each for each in mine if each["title"] != ACROSS_PARTITIONS]
    assert {each["id"] for each in mine} == expected.keys()
    secret = (stack.stack.secrets / "detection").read_text()
    for path in ("", "/config", "/plan"):
        assert secret not in json.dumps(stack.rest(f"/jobs/{job.job_id}{path}"))
