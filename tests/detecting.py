"""Sends attacks to a topic as the bridge does; finds the alerts of one process that reads them in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition
from reading import read_topic
from running import BIN, Job, RunningStack

from detection.detector import Detector
from detection.running.rule_source import RuleSource
from kafka_setup.connection.reading import coordinated
from local_stack.broker import kafka_objects
from producer.events.event_time import read_ticks
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

ATTACKS = ("brute-force@5", "password-spray@20", "service-install@30", "log-cleared@40", "rogue-account@50")
ACROSS_PARTITIONS = "Somebody works at night"  # what comes first, and so the name, is not decided there
CLOSING = 100_000  # seconds later: every window is over
# A partition that a busy machine reads late must not count as idle: what comes from it would be too late.
OPTIONS = ("--max-lateness", "10", "--idle-timeout", "300", "--checkpoint-interval", "1")


class Sent(NamedTuple):
    line: bytes
    computer: str


def attacks(count: int, seed: int, start: int) -> list[Sent]:
    """The first events of a day that begins at `start`, in seconds since 1970, with every attack in it."""
    moment = datetime.fromtimestamp(start, timezone.utc)
    settings = GeneratorSettings(seed=seed, scenarios=ATTACKS, start_time=moment, hosts=10 + seed % 10)
    return [Sent(event.line.rstrip(b"\n"), event.computer) for event in islice(generate(settings), count)]


def send(stack: RunningStack, topic: str, events: Iterable[Sent]) -> None:
    """Send as the bridge does: key, value, and the event's time as the record's time."""
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    for line, computer in events:
        moment = read_ticks(json.loads(line)["timestamp"]) or 0
        producer.produce(topic, line, computer, timestamp=moment // 10_000)
        producer.poll(0)
    assert producer.flush(120) == 0


def close(stack: RunningStack, topic: str, start: int) -> None:
    """Move event time forward, by an event in every partition."""
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    line = b'{"timestamp":"2026-01-05T08:00:00Z","event_id":1,"source":"System","computer":"WS-1","data":{}}'
    for partition in range(3):
        producer.produce(topic, line, partition=partition, timestamp=(start + CLOSING) * 1000)
    assert producer.flush(60) == 0


def expected(events: Iterable[Sent]) -> dict[str, int]:
    """Alert id -> the counts in the last record of the alert."""
    detector = Detector(RuleSource([]).load(), lateness=10)
    block = b"".join(line + b"\n" for line, _ in events)
    found = [*detector.feed(block), *detector.finish()]
    last = {alert.id: alert for alert in found if alert.head.title != ACROSS_PARTITIONS}
    return {key: alert.count for key, alert in last.items() if alert.merged_into is None}


def told(stack: RunningStack) -> dict[str, dict[str, Any]]:
    """Alert id -> the last record of this alert of detection in the topic."""
    records = [json.loads(record.value) for record in read_topic(stack, "alerts", 0)]
    return {each["id"]: each for each in records if "rule_id" in each}


def counted(stack: RunningStack, start: int) -> dict[str, int]:
    """Alert id -> counts, for the alerts of our own rules about events of the day of `start`."""
    ours = RuleSource([]).load().heads
    day = datetime.fromtimestamp(start, timezone.utc).strftime("%Y-%m-%d")
    return {
        key: each["count"]
        for key, each in told(stack).items()
        if each["rule_id"] in ours
        and each["title"] != ACROSS_PARTITIONS
        and (each["first"] or "").startswith(day)
        and "merged_into" not in each
    }


def noon(days_ago: int) -> int:
    """Seconds since 1970; each test has its own day, so that its attacks can be distinguished."""
    return (int(time.time()) // 86_400 - days_ago) * 86_400 + 43_200


class Detection:
    """A running win-event-detect --topic."""

    def __init__(self, stack: RunningStack, folder: Path, *options: str | Path) -> None:
        self.log = folder / "detect.log"
        words = [str(each) for each in (BIN / "win-event-detect", *options)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=log, env={**os.environ, **stack.shell("detection")}
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def committed(stack: RunningStack, topic: str, group: str) -> int:
    """How many records the group has committed."""
    settings = kafka_objects.connection(stack.stack, "detection").client_settings()
    consumer = Consumer({**settings, "group.id": group})
    try:
        asked = [TopicPartition(topic, number) for number in range(3)]
        places = coordinated(lambda: consumer.committed(asked, timeout=60))
    finally:
        consumer.close()
    return sum(max(each.offset, 0) for each in places)


def submit(stack: RunningStack, topic: str, *options: str) -> Job:
    words = ("--kafka-topic", topic, *OPTIONS, *options)
    return stack.submit_shared(*words, user="detection", program="detection")
