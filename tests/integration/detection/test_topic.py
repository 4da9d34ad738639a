"""win-event-detect over a real topic: alerts in Kafka, restarts during a burst, kill -9, changed rules."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from detecting import Detection, committed
from reading import read_topic
from running import BIN, RunningStack, wait_until

from local_stack.broker import kafka_objects
from producer.events.event_time import TICKS, to_text

RULE = """title: Failed
name: failed
logsource: {product: windows, service: security}
detection:
  selection: {EventID: 4625}
  condition: selection
level: informational
---
title: Guessing
id: 5d0b7f36-90a0-4b0e-9a1f-0d4cbb4a9c01
level: high
correlation:
  type: event_count
  rules: [failed]
  group-by: [TargetUserName]
  timespan: 5m
  condition: {gte: 10}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "guessing.yml").write_text(RULE)
    return folder


def _events(numbers: Iterable[int], user: str = "m.ito") -> list[tuple[bytes, str, int]]:
    """(line, computer, milliseconds) of one failed logon per second, on three computers."""
    start = int(time.time()) - 3_000
    found = []
    for number in numbers:
        seconds, computer = start + number, f"WS-{number % 3}"
        line = {
            "timestamp": to_text(seconds * TICKS), "level": "Information", "source": "Security",
            "event_id": 4625, "event_type": "Audit Failure", "record_id": number + 1, "computer": computer,
            "data": {"TargetUserName": user}, "message": "An account failed to log on.",
        }  # fmt: skip
        found.append((json.dumps(line, separators=(",", ":")).encode(), computer, seconds * 1000))
    return found


def _send(stack: RunningStack, topic: str, events: Iterable[tuple[bytes, str, int]]) -> None:
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    for line, computer, moment in events:
        producer.produce(topic, line, computer, timestamp=moment)
    assert producer.flush(60) == 0


def _alerts(stack: RunningStack, title: str, user: str) -> list[dict[str, Any]]:
    found = [json.loads(record.value) for record in read_topic(stack, "alerts", 0)]
    return [
        each for each in found if each.get("title") == title and each["group"].get("TargetUserName") == user
    ]


@pytest.fixture
def detection(broker: RunningStack, topics: tuple[str, str], tmp_path: Path, rules: Path) -> Iterator[Any]:
    started: list[Detection] = []

    def start(*options: str | Path) -> Detection:
        group = f"win-event-detection-{topics[0]}"
        words = ("--topic", topics[0], "--group", group, "--rules", rules, "--output", "json", *options)
        started.append(Detection(broker, tmp_path, *words))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGKILL, id="killed"),
        pytest.param(signal.SIGTERM, id="stopped", marks=pytest.mark.nightly),
    ],
)
def test_a_restart_in_mid_burst_goes_on_with_the_same_alert(
    broker: RunningStack, topics: tuple[str, str], detection: Any, number: int
) -> None:
    user = f"user-{number}"
    events = _events(range(60), user)
    first = detection()
    _send(broker, topics[0], events[:6])
    wait_until(
        lambda: committed(broker, topics[0], f"win-event-detection-{topics[0]}") == 6,
        "the first events are taken",
    )
    assert _alerts(broker, "Guessing", user) == []
    first.stop(number)
    second = detection()
    _send(broker, topics[0], events[6:30])
    (alert, *_) = wait_until(lambda: _alerts(broker, "Guessing", user), "the alert is in Kafka")
    assert alert["first"] == json.loads(events[0][0])["timestamp"]
    wait_until(
        lambda: committed(broker, topics[0], f"win-event-detection-{topics[0]}") == 30, "all are taken"
    )
    assert second.stop(number) in (0, -signal.SIGKILL)
    _send(broker, topics[0], events[30:])
    third = detection("--bounded")
    assert third.process.wait(90) == 0
    last = detection("--bounded")
    assert last.process.wait(90) == 0
    alerts = _alerts(broker, "Guessing", user)
    assert {each["id"] for each in alerts} == {alert["id"]}
    assert alerts[-1]["count"] == 60
    assert len(alerts[-1]["record_ids"]) == 20


def test_new_rules_are_taken_and_broken_ones_refused(
    broker: RunningStack, topics: tuple[str, str], detection: Any, rules: Path
) -> None:
    running = detection("--watch")
    wait_until(lambda: "1 rules and 1 correlations loaded" in running.log.read_text(), "it runs")
    (rules / "broken.yml").write_text("title: [")
    wait_until(lambda: "the old rules stay" in running.log.read_text(), "the mistake is told")
    (rules / "broken.yml").write_text(
        RULE.replace("failed", "other").replace("Guessing", "Other").replace("01", "02")
    )
    wait_until(lambda: "2 rules and 2 correlations loaded" in running.log.read_text(), "new rules")
    _send(broker, topics[0], _events(range(12), "new-rules"))
    wait_until(lambda: _alerts(broker, "Other", "new-rules"), "the new rule alerts")
    assert running.stop() == 0


def test_what_kafka_refuses_is_told_in_one_line(
    broker: RunningStack, topics: tuple[str, str], rules: Path
) -> None:
    environment = {**os.environ, **broker.shell("bridge")}
    words = [BIN / "win-event-detect", "--rules", rules, "--topic", topics[0]]
    answer = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "needs READ on" in answer.stderr
    assert "Traceback" not in answer.stderr
