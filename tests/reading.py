"""What stands in a topic, read as the reader user."""

from __future__ import annotations

import time
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from running import RunningStack

from local_stack.broker import kafka_objects


@dataclass(frozen=True)
class Record:
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]
    timestamp: int  # milliseconds
    partition: int


def read_topic(
    running: RunningStack, topic: str, count: int, seconds: float = 60.0, isolation: str = "read_uncommitted"
) -> list[Record]:
    """The first `count` records, and whatever more is there; AssertionError when they do not come."""
    consumer = Consumer(
        {
            **kafka_objects.connection(running.stack, "reader").client_settings(),
            "group.id": "win-event-test",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": False,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        return _collect(consumer, count, seconds)
    finally:
        consumer.close()


def _collect(consumer: Consumer, count: int, seconds: float) -> list[Record]:
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while True:
        messages = consumer.consume(10_000, timeout=0.5)
        records += [_record(message) for message in messages]
        if len(records) >= count and not messages:
            return records
        assert time.monotonic() < deadline, f"{len(records)} of {count} records within {seconds:.0f} s"


def _record(message: object) -> Record:
    assert message.error() is None, message.error()  # type: ignore[attr-defined]
    return Record(
        key=message.key(),  # type: ignore[attr-defined]
        value=message.value(),  # type: ignore[attr-defined]
        headers=dict(message.headers() or []),  # type: ignore[attr-defined]
        timestamp=message.timestamp()[1],  # type: ignore[attr-defined]
        partition=message.partition(),  # type: ignore[attr-defined]
    )
