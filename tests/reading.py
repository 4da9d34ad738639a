"""The records of a topic, read as the user `reader`."""

from __future__ import annotations

import time
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from running import PATIENCE, RunningStack

from local_stack.broker import kafka_objects


@dataclass(frozen=True)
class Record:
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]
    timestamp: int  # milliseconds
    partition: int


def end_offsets(running: RunningStack, topic: str) -> int:
    """How many records were written to it, with those of transactions also their ends."""
    consumer = Consumer(
        {**kafka_objects.connection(running.stack, "reader").client_settings(), "group.id": "win-event-test"}
    )
    try:
        partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in partitions]
        return sum(consumer.get_watermark_offsets(place, timeout=60)[1] for place in places)
    finally:
        consumer.close()


def read_topic(
    running: RunningStack,
    topic: str,
    count: int,
    seconds: float = PATIENCE,
    isolation: str = "read_uncommitted",
) -> list[Record]:
    """All records, to the end of every partition; AssertionError when there are never `count` of them."""
    consumer = Consumer(
        {
            **kafka_objects.connection(running.stack, "reader").client_settings(),
            "group.id": "win-event-test",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": True,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        return _collect(consumer, len(partitions), count, seconds)
    finally:
        consumer.close()


def _collect(consumer: Consumer, partitions: int, count: int, seconds: float) -> list[Record]:
    """A slow answer does not mean the end of a partition: only the broker's report of the end does."""
    records: list[Record] = []
    ended: set[int] = set()
    deadline = time.monotonic() + seconds
    while len(ended) < partitions or len(records) < count:
        message = consumer.poll(0.1)
        if message is None:
            assert time.monotonic() < deadline, f"{len(records)} of {count} records within {seconds:.0f} s"
        elif message.error() is not None and message.error().code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition())
        else:
            records.append(_record(message))
            ended.discard(message.partition())
    return records


def _record(message: object) -> Record:
    assert message.error() is None, message.error()  # type: ignore[attr-defined]
    return Record(
        key=message.key(),  # type: ignore[attr-defined]
        value=message.value(),  # type: ignore[attr-defined]
        headers=dict(message.headers() or []),  # type: ignore[attr-defined]
        timestamp=message.timestamp()[1],  # type: ignore[attr-defined]
        partition=message.partition(),  # type: ignore[attr-defined]
    )
