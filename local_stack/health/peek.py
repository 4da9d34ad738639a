"""The newest records of a topic: reads them, never commits, joins no group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from kafka_setup.connection.session import QUIET_CLIENT
from kafka_setup.connection.settings import REQUEST_TIMEOUT
from local_stack.broker import broker, kafka_objects
from local_stack.layout import Stack
from local_stack.processes import StartError

_READING = {"group.id": "win-event-peek", "enable.auto.commit": False, "enable.partition.eof": True}


@dataclass(frozen=True)
class Peeked:
    """A record.

    `time`: of the record, in milliseconds since 1970. `value`: None means that the key was deleted.
    """

    partition: int
    offset: int
    time: int
    key: bytes | None
    value: bytes | None


def newest(stack: Stack, topic: str, count: int) -> list[Peeked]:
    """The last `count` committed records of each partition, all in the order of their times.

    Raises StartError if there is no broker or no topic.
    """
    with _opened(stack, topic) as (consumer, partitions):
        records = [record for part in partitions for record in _tail(consumer, topic, part, count)]
    return sorted(records, key=_place)


def _place(record: Peeked) -> tuple[int, int, int]:
    return record.time, record.partition, record.offset


def all_of(stack: Stack, topic: str) -> Iterator[Peeked]:
    """Every committed record, one partition after the other. Raises StartError, like `newest`."""
    with _opened(stack, topic) as (consumer, partitions):
        for partition in partitions:
            place = TopicPartition(topic, partition, OFFSET_BEGINNING)
            yield from _read(
                consumer, place, consumer.get_watermark_offsets(place, timeout=REQUEST_TIMEOUT)[1]
            )


@contextmanager
def _opened(stack: Stack, topic: str) -> Iterator[tuple[Consumer, list[int]]]:
    """A consumer without a group, and the partitions."""
    login = kafka_objects.connection(stack, kafka_objects.watcher(stack)).client_settings()
    broker.require_running(stack)
    consumer = Consumer({**login, **QUIET_CLIENT, **_READING})
    try:
        found = consumer.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic]
        if found.error is not None:
            raise StartError(f"topic {topic}: {found.error.str()}. win-event-stack status lists all topics")
        yield consumer, list(found.partitions)
    except KafkaException as error:
        raise StartError(
            f"Kafka on {stack.bootstrap_servers}: {error.args[0].str()}. First: win-event-stack up"
        ) from None
    finally:
        consumer.close()


def newest_of_each_key(records: Iterable[Peeked]) -> list[Peeked]:
    """The newest record of each key, as a reader of upserts counts, in the order of their times.

    `records`: those of each partition in the order of their offsets. Deleted keys are left out.
    """
    last = {record.key: record for record in records}
    return sorted((each for each in last.values() if each.value is not None), key=_place)


def _tail(consumer: Consumer, topic: str, partition: int, count: int) -> list[Peeked]:
    """The last records of a partition.

    Transactions leave marks among the offsets, so it reads further back until there are enough.
    """
    start, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=REQUEST_TIMEOUT)
    span = count
    while True:
        first = max(start, end - span)
        records = list(_read(consumer, TopicPartition(topic, partition, first), end)) if first < end else []
        if len(records) >= count or first == start:
            return records[-count:]
        span *= 4


def _read(consumer: Consumer, place: TopicPartition, end: int) -> Iterator[Peeked]:
    """The committed records before `end`.

    Kafka's client reports an end only if no record came for a moment; in a busy topic, never.
    """
    consumer.assign([place])
    while True:
        first = consumer.poll(REQUEST_TIMEOUT)
        if first is None:
            raise StartError(f"topic {place.topic}: no answer within {REQUEST_TIMEOUT:.0f} s")
        # Take only records that have arrived: with a timeout, it would wait for all of them, beyond the
        # topic's end.
        for message in (first, *consumer.consume(1_000, timeout=0)):
            error = message.error()
            if error is None and (message.offset() or 0) >= end:
                return
            if error is None:
                yield _record(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                return
            else:
                raise KafkaException(error)


def _record(message: Message) -> Peeked:
    return Peeked(
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
    )
