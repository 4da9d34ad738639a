"""win-event-stack reset: one part is new, the others are left alone."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from running import BIN, RunningStack, run

from local_stack.broker import kafka_objects
from local_stack.broker.passwords import SUPER_USER

pytestmark = pytest.mark.integration


def reset(broker: RunningStack, *words: str, answer: str = "") -> Any:
    return run(BIN / "win-event-stack", "reset", *words, env=broker.environment, input=answer, timeout=120)


def records(broker: RunningStack, topic: str) -> int:
    return int(broker.verify(topic, "--any-order", "--allow-gaps", user=SUPER_USER)["records"])


def test_a_topic_is_empty_again_and_others_are_left_alone(
    broker: RunningStack, topics: tuple[str, str]
) -> None:
    client = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
    for topic in topics:
        client.produce(topic, b"{}", key=b"k")
    assert client.flush(60) == 0
    refused = reset(broker, "topics", topics[0], answer="n\n")
    assert refused.returncode == 1
    assert records(broker, topics[0]) == 1
    done = reset(broker, "topics", topics[0], "--yes")
    assert done.returncode == 0, done.stderr
    assert f"removed topic {topics[0]}" in done.stderr
    assert records(broker, topics[1]) == 1
    unknown = reset(broker, "topics", "no-such-topic", "--yes")
    assert unknown.returncode == 1
    assert "there is no topic no-such-topic" in unknown.stderr


def test_the_positions_of_a_group_are_forgotten(broker: RunningStack, topics: tuple[str, str]) -> None:
    login = kafka_objects.connection(broker.stack, "reader").client_settings()
    client = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
    client.produce(topics[0], b"{}", key=b"k")
    assert client.flush(60) == 0
    reader = Consumer({**login, "group.id": "win-event-reset", "auto.offset.reset": "earliest"})
    reader.subscribe([topics[0]])
    assert reader.poll(60) is not None
    reader.commit(asynchronous=False)
    busy = reset(broker, "groups", "win-event-reset", "--yes")
    assert "has readers" in busy.stderr
    reader.close()
    done = reset(broker, "groups", "win-event-reset", "--yes")
    assert "deleted the positions of group win-event-reset" in done.stderr, done.stderr
    assert reset(broker, "groups", "win-event-reset", "--yes").returncode == 1
