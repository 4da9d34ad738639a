"""Sends events to a topic as the bridge does, asks questions about them, and reads the answers."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import attacked
import oracle
from confluent_kafka import Producer
from reading import read_topic
from running import Job, RunningStack

from analytics.answers import primary_key
from analytics.hosts import read_hosts
from local_stack.broker import kafka_objects
from local_stack.layout import REPOSITORY

HOSTS = dict(read_hosts(REPOSITORY / "analytics" / "hosts.csv"))
THRESHOLD = ("--set", "error_burst.threshold=4")
QUESTIONS = ",".join((
    "level_counts", "level_windows", "error_burst", "brute_force",
    "top_accounts", "logon_sessions", "enriched", "archive",
))  # fmt: skip
OPTIONS = (
    "--delivery-guarantee", "exactly-once", "--checkpoint-interval", "1", *THRESHOLD,
    "--archive-part-seconds", "2",
    # A partition is not idle while the broker is away or while a busy machine reads another.
    "--idle-timeout", "300",
)  # fmt: skip
HOURS_LATER = 3

Answer = Callable[[list[attacked.Event]], oracle.Rows]
WINDOWED: dict[str, Answer] = {
    "events_by_level_5m": oracle.level_windows,
    "top_5m": oracle.top_accounts,
    "logon_sessions": oracle.logon_sessions,
    "alerts": lambda events: oracle.error_burst(events, 4) | oracle.brute_force(events),
}
RUNNING: dict[str, Answer] = {
    "events_by_level": oracle.level_counts,
    "events_enriched": lambda events: oracle.enriched(events, HOSTS),
}
"""Result -> the rows of plain Python: rows that come after a window's end, and rows that come at once."""


def some_events(seed: int, count: int, days_ago: int = 1) -> list[attacked.Event]:
    """Events from ten o'clock of that day, at most 5 s out of order."""
    day = datetime.now(timezone.utc) - timedelta(days=days_ago)
    start = day.replace(hour=10, minute=0, second=0, microsecond=0)
    dice = random.Random(seed)
    events = attacked.events(seed, count, start)
    return sorted(events, key=lambda event: event["ms"] + dice.randrange(5_000))


def closing_events(events: list[attacked.Event]) -> list[attacked.Event]:
    """Send a later event to every partition, which closes all windows and sessions."""
    later = HOURS_LATER * 3_600_000
    return [
        attacked.moved(events[-1], later, computer=f"WS-{n}", event_id=1, level="Verbose") for n in range(3)
    ]


def send(
    stack: RunningStack,
    topic: str,
    events: Iterable[attacked.Event],
    partition: int = -1,
    rate: float = math.inf,
) -> None:
    """Send key and value with the event's time as the record's time; at most `rate` records per second."""
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    begin = time.monotonic()
    for number, event in enumerate(events):
        producer.poll(max(begin + number / rate - time.monotonic(), 0))
        producer.produce(
            topic, event["line"], key=event["computer"], timestamp=event["ms"], partition=partition
        )
    assert producer.flush(60) == 0


def ask(stack: RunningStack, *options: str) -> Job:
    """Submits analytics/job.py detached."""
    return stack.submit_shared(*options, user="analytics", program="analytics")


def refused(stack: RunningStack, *options: str, user: str = "analytics", program: str = "analytics") -> str:
    """The sentence that a job prints if it is not submitted."""
    answer = stack.told(program, *options, user=user)
    assert answer.code != 0
    assert "JobID" not in answer.text
    assert "Traceback" not in answer.text
    (line,) = [line for line in answer.text.splitlines() if line.startswith("error: ")]
    return line


def rows(stack: RunningStack, result: str, mentioning: str = "") -> oracle.Rows:
    """The last committed row of every key, among the rows that contain this text; no row was withdrawn."""
    found: oracle.Rows = {}
    for record in read_topic(stack, result, 0, isolation="read_committed"):
        row = json.loads(record.value)
        if "rule_id" in row:  # detection writes into the topic of alerts, too
            continue
        assert record.key is not None
        assert json.loads(record.key) == {name: row[name] for name in primary_key(result)}
        if mentioning.encode() in record.value:
            found[tuple(row[name] for name in primary_key(result))] = row
    return found


def archived(folder: Path) -> list[bytes]:
    """Every line of every finished part; asserts that each is in the folder of its time and channel."""
    lines: list[bytes] = []
    for part in folder.glob("day=*/hour=*/channel=*/[!._]*"):
        found = part.read_bytes().splitlines()
        for event in map(json.loads, found):
            moment = event["timestamp"]
            place = f"day={moment[:10]}/hour={moment[11:13]}/channel={event['source']}"
            assert str(part.parent).endswith(place)
        lines += found
    return lines
