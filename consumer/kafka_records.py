"""Records from a Kafka topic: read only, no consumer group is joined, nothing is committed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from tenacity import Retrying, retry_if_exception_type, stop_after_delay

from consumer.audit import Record
from consumer.errors import AuditError
from kafka_setup.connection import KafkaConnection

_BATCH = 10_000
_REACH_SECONDS = 15.0  # how long a broker may take to answer at all
_CALL_SECONDS = 1.0
_CONSUME_SECONDS = 0.1  # the client waits this long for a batch to fill, also at the very end
_FATAL = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE)


@dataclass(frozen=True)
class Topic:
    """What to read; `follow` goes on past the end offsets, until nothing came for `idle_seconds`."""

    connection: KafkaConnection
    name: str
    read_committed: bool = False
    follow: bool = False
    idle_seconds: float | None = None


class _NotReachedError(Exception):
    """The broker has not answered yet."""


class TopicReader:
    """A topic from its log start to the end offsets found at the start; `total` and `done` count offsets."""

    def __init__(self, topic: Topic) -> None:
        """Raises AuditError when the topic cannot be reached, does not exist or may not be read."""
        self.topic = topic
        self.name = topic.name
        self.follows = topic.follow
        self._last_error: KafkaError | None = None
        self._consumer = Consumer(_settings(topic) | {"error_cb": self._remember})
        self._ranges = {
            partition: (start, end)
            for partition in self._partitions()
            for start, end in [self._watermarks(partition)]
        }
        self.done = 0
        self.total = sum(end - start for start, end in self._ranges.values())

    def batches(self) -> Iterator[list[Record]]:
        """What an audit takes. Raises AuditError."""
        for messages in self.messages():
            yield [
                (each.value() or b"", each.key(), each.partition(), each.offset(), each.timestamp()[1])
                for each in messages
            ]

    def messages(self) -> Iterator[list[Message]]:
        """Messages as they come, never past the end offsets unless following; may be called again.

        An empty batch means that nothing came for a moment. Raises AuditError.
        """
        self.done = 0
        open_partitions = {
            partition: end
            for partition, (start, end) in self._ranges.items()
            if end > start or self.topic.follow
        }
        starts = [TopicPartition(self.topic.name, p, self._ranges[p][0]) for p in open_partitions]
        self._consumer.assign(starts)
        try:
            heard = time.monotonic()
            while open_partitions and not self._is_idle(heard):
                messages = self._sort_out(self._consumer.consume(_BATCH, _CONSUME_SECONDS), open_partitions)
                heard = time.monotonic() if messages else heard
                yield messages
        except KafkaException as error:
            raise AuditError(f"reading {self.topic.name}: {error.args[0].str()}") from error
        finally:
            self._consumer.unassign()

    def close(self) -> None:
        self._consumer.close()

    def _is_idle(self, heard: float) -> bool:
        patience = self.topic.idle_seconds
        return self.topic.follow and patience is not None and time.monotonic() - heard > patience

    def _sort_out(self, messages: list[Message], open_partitions: dict[int, int]) -> list[Message]:
        """Drop what lies past the end offsets; close the partitions that are read to the end."""
        follow, batch = self.topic.follow, []
        for message in messages:
            partition, error = message.partition(), message.error()
            if error is not None:
                self._end_of(partition, error, open_partitions)
                continue
            end = open_partitions.get(partition)
            if end is None:
                continue
            offset = message.offset()
            if follow or offset < end:
                batch.append(message)
            if offset >= end - 1 and not follow:
                del open_partitions[partition]
        self.done += len(batch)
        if not messages:
            self._raise_fatal()
        return batch

    def _end_of(self, partition: int, error: KafkaError, open_partitions: dict[int, int]) -> None:
        """End-of-partition comes even where the last offsets are transaction marks or aborted records."""
        if error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        if not self.topic.follow:
            open_partitions.pop(partition, None)

    def _partitions(self) -> list[int]:
        name = self.topic.name
        patience = stop_after_delay(_REACH_SECONDS)
        reach = Retrying(retry=retry_if_exception_type(_NotReachedError), stop=patience, reraise=True)
        try:
            metadata = reach(self._metadata)
        except _NotReachedError as error:
            servers = self.topic.connection.bootstrap_servers
            raise AuditError(f"no broker answers at {servers} ({error}): is it up?") from error
        found = metadata.topics[name]
        if found.error is None:
            return sorted(found.partitions)
        if found.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            user = self.topic.connection.username
            raise AuditError(f"user {user!r} may not read topic {name}: it needs the ACL READ on the topic")
        raise AuditError(f"topic {name}: {found.error.str()}")

    def _metadata(self):  # type: ignore[no-untyped-def]  # ClusterMetadata; the library ships no types
        try:
            return self._consumer.list_topics(self.topic.name, timeout=_CALL_SECONDS)
        except KafkaException as error:
            self._consumer.poll(0)  # hands the pending errors to _remember
            self._raise_fatal()
            reason = self._last_error or error.args[0]
            raise _NotReachedError(reason.str()) from error

    def _watermarks(self, partition: int) -> tuple[int, int]:
        try:
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(self.topic.name, partition), timeout=_REACH_SECONDS
            )
        except KafkaException as error:
            raise AuditError(f"end offsets of {self.topic.name}: {error.args[0].str()}") from error
        return low, high

    def _remember(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_error = error

    def _raise_fatal(self) -> None:
        error = self._last_error
        if error is None or error.code() not in _FATAL:
            return
        connection = self.topic.connection
        hint = "check KAFKA_USERNAME and KAFKA_PASSWORD" if connection.uses_sasl else "check --kafka-ca-file"
        where = f"{connection.bootstrap_servers} as {connection.username!r}"
        raise AuditError(f"cannot log in at {where}, {hint}: {error.str()}")


def _settings(topic: Topic) -> dict[str, object]:
    return topic.connection.client_settings() | {
        "group.id": "win-event-verify",  # the client demands one; with assign() it is never used
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed" if topic.read_committed else "read_uncommitted",
        "queued.max.messages.kbytes": 32 * 1024,
        "fetch.queue.backoff.ms": 5,  # the default of a second stalls a reader that is as fast as the queue
        "max.partition.fetch.bytes": 4 * 2**20,
        "log_level": 0,  # errors come through error_cb and are told once
    }
