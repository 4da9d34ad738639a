"""The topic of alerts: written at once, and read at a start. Key: rule and group. Value: the alert."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from detection.alerts import Alert
from detection.topic.settings import TopicSettings
from kafka_setup.connection.session import new_client
from kafka_setup.connection.settings import REQUEST_TIMEOUT

_BATCH = 2_000
_POLL_SECONDS = 0.05


class AlertWriter:
    """Writes alerts; nothing if the settings name no topic."""

    def __init__(self, settings: TopicSettings) -> None:
        """Raises LoginRefusedError."""
        self._topic = settings.alerts
        writing = {"acks": "all", "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"}
        self._producer = new_client(Producer, settings.connection, writing)
        self._failed: KafkaError | None = None

    def put(self, alert: Alert) -> None:
        if self._topic is None:
            return
        while True:
            try:
                self._producer.produce(
                    self._topic, orjson.dumps(alert.as_json()), alert.key, on_delivery=self._delivered
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self, seconds: float) -> bool:
        """Wait until all alerts are written; False if some still wait for Kafka.

        Raises KafkaException if one cannot be written; that is so after five minutes without a broker.
        """
        left = self._producer.flush(seconds)
        if self._failed is not None:
            raise KafkaException(self._failed)
        return not left

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        self._failed = self._failed or error


def values_since(consumer: Consumer, topic: str, since: int) -> Iterator[bytes]:
    """The values of all records of a topic from `since` (milliseconds) to its end. Raises KafkaException."""
    found = consumer.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    asked = [TopicPartition(topic, number, since) for number in found.partitions]
    starts = consumer.offsets_for_times(asked, timeout=REQUEST_TIMEOUT)
    starts = [each for each in starts if each.offset >= 0]
    waiting = {each.partition for each in starts}
    consumer.assign(starts)
    while waiting:
        for message in consumer.consume(_BATCH, _POLL_SECONDS):
            error = message.error()
            if error is None:
                yield message.value() or b""
            elif error.code() == KafkaError._PARTITION_EOF:
                waiting.discard(message.partition())
            else:
                raise KafkaException(error)
