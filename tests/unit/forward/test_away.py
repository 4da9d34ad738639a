"""A broker that answers slowly is found again after it was away: each question waits longer."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import KafkaError, KafkaException

from forward import topic as asked
from forward.topic import Topic, TopicSettings
from kafka_setup.connection.settings import KafkaConnection


class SlowBroker:
    """Answers a question only if it waits `seconds`; `waits` are those of all questions."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.waits = seconds, list[float]()

    def list_topics(self, _: str, timeout: float) -> None:
        self.waits.append(timeout)
        if timeout < self.seconds:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "Failed to get metadata"))


def topic_of(broker: SlowBroker) -> Topic:
    topic = Topic(TopicSettings(KafkaConnection("127.0.0.1:1", "PLAINTEXT"), "t", "g"), dict)
    topic._consumer.close()
    topic._consumer = broker
    return topic


@pytest.mark.parametrize(("seconds", "waits"), [(3.0, [0.5, 1, 2, 4]), (0.1, [0.5])])
def test_a_question_waits_longer_until_one_is_answered(
    monkeypatch: pytest.MonkeyPatch, seconds: float, waits: list[float]
) -> None:
    monkeypatch.setattr(asked, "_ASK_PAUSE", 0)
    topic = topic_of(broker := SlowBroker(seconds))
    for _ in range(2):  # the second time it begins with a short wait again
        topic._away_since = time.monotonic()
        assert [topic.away() > 0 for _ in waits] == [True] * (len(waits) - 1) + [False]
    assert broker.waits == 2 * waits


def test_no_question_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "_ASK_PAUSE", 0)
    topic = topic_of(broker := SlowBroker(60))
    topic._away_since = time.monotonic()
    assert all(topic.away() > 0 for _ in range(8))
    assert broker.waits[-3:] == [8, 8, 8]
