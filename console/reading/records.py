"""Reads a bounded piece of a topic for one request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, LifoQueue
from threading import BoundedSemaphore

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from console.reading.piece import MAX_BYTES, Piece, cut
from console.reading.poller import AwayError
from console.reading.tail import NO_TOPIC, open_consumer, unreadable
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection

READERS = 4


class BusyError(Exception):
    """Too many requests read at the same time (READERS)."""


class NoTopicError(Exception):
    """No such topic or partition, or one that the user may not see."""


class NotAllowedError(Exception):
    """The topic exists, but the user may not read it."""


@dataclass(frozen=True)
class Place:
    """Where to begin: an offset, a time (milliseconds since the epoch), or the last records (both None)."""

    offset: int | None = None
    milliseconds: int | None = None


class RecordReader:
    """A few consumers, created when first needed and then reused."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._free: LifoQueue[Consumer] = LifoQueue()
        self._permits = BoundedSemaphore(READERS)

    def read(self, topic: str, partition: int | None, place: Place, limit: int) -> Piece:
        """At most `limit` records and MAX_BYTES.

        Raises AwayError, BusyError, NoTopicError, NotAllowedError.
        """
        with self._consumer() as consumer:
            try:
                partitions = _partitions(consumer, topic, partition)
                bounds = {
                    part: consumer.get_watermark_offsets(TopicPartition(topic, part), timeout=REQUEST_TIMEOUT)
                    for part in partitions
                }
                starts = _starts(consumer, topic, bounds, place, limit)
                found = _read(consumer, topic, bounds, starts, limit)
                return cut(bounds, starts, found, limit, last=place == Place())
            except KafkaException as error:
                raise _explained(error.args[0], topic) from error

    def close(self) -> None:
        while True:
            try:
                self._free.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        if not self._permits.acquire(blocking=False):
            raise BusyError(f"{READERS} requests read records already")
        try:
            try:
                consumer = self._free.get_nowait()
            except Empty:
                consumer = open_consumer(self._connection, **{"enable.partition.eof": True})
            try:
                yield consumer
            except BaseException:
                consumer.close()
                raise
            self._free.put(consumer)
        finally:
            self._permits.release()


def _partitions(consumer: Consumer, topic: str, partition: int | None) -> list[int]:
    known = consumer.list_topics(timeout=REQUEST_TIMEOUT).topics.get(topic)
    if known is None or known.error is not None:
        raise NoTopicError(f"there is no topic {topic!r} that this user may see")
    if partition is None:
        return sorted(known.partitions)
    if partition not in known.partitions:
        raise NoTopicError(f"{topic} has no partition {partition}: there are {len(known.partitions)}, from 0")
    return [partition]


def _starts(
    consumer: Consumer, topic: str, bounds: dict[int, tuple[int, int]], place: Place, limit: int
) -> dict[int, int]:
    if place.milliseconds is not None:
        asked = [TopicPartition(topic, part, place.milliseconds) for part in bounds]
        found = consumer.offsets_for_times(asked, timeout=REQUEST_TIMEOUT)
        return {
            each.partition: each.offset if each.offset >= 0 else bounds[each.partition][1] for each in found
        }
    if place.offset is not None:
        return {part: min(max(start, place.offset), end) for part, (start, end) in bounds.items()}
    return {part: max(start, end - limit) for part, (start, end) in bounds.items()}


def _read(
    consumer: Consumer,
    topic: str,
    bounds: dict[int, tuple[int, int]],
    starts: dict[int, int],
    limit: int,
) -> dict[int, list[Message]]:
    """Read from `starts` up to the ends at the time of the request; at most `limit` of each partition."""
    wanted = {part for part, start in starts.items() if start < bounds[part][1]}
    consumer.assign([TopicPartition(topic, part, starts[part]) for part in sorted(wanted)])
    found: dict[int, list[Message]] = {part: [] for part in wanted}
    deadline, size = time.monotonic() + REQUEST_TIMEOUT, 0
    while wanted and time.monotonic() < deadline and size < MAX_BYTES * max(1, len(starts)):
        for message in consumer.consume(limit, 0.2):
            part, error = message.partition(), message.error()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                wanted.discard(part)
                continue
            if message.offset() < bounds[part][1] and len(found[part]) < limit:
                found[part].append(message)
                size += len(message.value() or b"")
            if message.offset() + 1 >= bounds[part][1] or len(found[part]) >= limit:
                wanted.discard(part)
    consumer.unassign()
    if wanted and not any(found.values()):
        raise AwayError(f"no record of {topic} came within {REQUEST_TIMEOUT:.0f} s")
    return found


def _explained(error: KafkaError, topic: str) -> Exception:
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return NotAllowedError(unreadable(topic, error))
    if error.code() in NO_TOPIC:
        return NoTopicError(f"there is no topic {topic!r} that this user may see")
    return AwayError(f"Kafka does not answer: {error.str()}")
