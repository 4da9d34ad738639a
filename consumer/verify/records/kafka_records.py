"""Records from a Kafka topic, from its log start to the end offsets found at the start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import KafkaError, Message

from consumer.verify.audit.findings import shown
from consumer.verify.audit.records import AuditError, Place, Record, RejectedLine
from consumer.verify.audit.report import Unread
from consumer.verify.records.kafka_client import KafkaClient
from kafka_setup.connection.settings import KafkaConnection

_BATCH = 1_000  # fits into a processor's cache
_CONSUME_SECONDS = 0.1  # the client waits this long for a batch to fill, also at the very end
_STALLED_SECONDS = 60.0
REASON_HEADER, ENDPOINT_HEADER = "reason", "endpoint"  # as the bridge writes them


@dataclass(frozen=True)
class Topic:
    """What to read; `follow` continues after the end offsets, until nothing came for `idle_seconds`."""

    connection: KafkaConnection
    name: str
    read_committed: bool = False
    follow: bool = False
    idle_seconds: float | None = None


class TopicReader:
    """Reads one topic. `total` and `done` count offsets."""

    def __init__(self, topic: Topic) -> None:
        """Raises AuditError if the topic cannot be reached, does not exist or may not be read."""
        self.topic = topic
        self.name = topic.name
        self.follows = topic.follow
        self.done = 0
        self._client = KafkaClient(topic.connection, topic.name, topic.read_committed)
        # With transactions, an end offset may be higher than what can be read. Asked first: what is committed
        # between the two questions is not in an open transaction.
        self._ends = self._client.end_offsets(stable=False) if topic.read_committed else {}
        self._ranges = self._client.ranges()
        self.total = sum(end - start for start, end in self._ranges.values())
        self._reached: dict[int, int] = {}  # where the readable part of a partition ended

    def batches(self) -> Iterator[list[Record]]:
        """The records, in batches for the audit. Raises AuditError."""
        for messages in self._messages():
            yield [
                (each.value() or b"", each.key(), each.partition(), each.offset(), each.timestamp()[1])
                for each in messages
            ]

    def rejected(self) -> Iterator[list[RejectedLine]]:
        """The records of a topic of rejected lines, in batches. Raises AuditError."""
        for messages in self._messages():
            yield [_rejected(message) for message in messages]

    def _messages(self) -> Iterator[list[Message]]:
        """Messages as they arrive, not past the end offsets unless following; may be called again.

        An empty batch means that nothing arrived for a moment. Raises AuditError.
        """
        self.done = 0
        wanted = self.topic.follow
        ends = {number: end for number, (start, end) in self._ranges.items() if wanted or end > start}
        self._client.assign({number: self._ranges[number][0] for number in ends})
        heard = time.monotonic()
        try:
            while ends and not self._is_idle(heard):
                messages = self._sort_out(self._client.consume(_BATCH, _CONSUME_SECONDS), ends)
                heard = time.monotonic() if messages else heard
                yield messages
        finally:
            self._client.unassign()

    def place(self, partition: int | None, offset: int) -> Place:
        return Place(self.name, partition, offset)

    def unread(self) -> tuple[Unread, ...]:
        """The offsets that an open transaction makes unreadable. Raises AuditError."""
        if not self.topic.read_committed:
            return ()
        ends, reached = self._ends, self._reached
        if self.follows:
            ends, reached = self._client.end_offsets(stable=False), self._client.end_offsets(stable=True)
        starts = {partition: start for partition, (start, _) in self._ranges.items()}
        behind = ((number, reached.get(number, starts.get(number, end)), end) for number, end in ends.items())
        return tuple(
            Unread(self.name, number, offset, end - offset, self._client.open_transaction(number))
            for number, offset, end in behind
            if offset < end
        )

    def close(self) -> None:
        self._client.close()

    def _sort_out(self, messages: list[Message], ends: dict[int, int]) -> list[Message]:
        """Drop messages after the end offsets; remove the partitions that are read to their end."""
        follow, batch = self.topic.follow, []
        for message in messages:
            partition, error = message.partition(), message.error()
            if error is not None:
                self._end_of(message, error, ends)
            elif follow:
                batch.append(message)
            elif partition in ends:
                offset, end = message.offset(), ends[partition]
                if offset < end:
                    batch.append(message)
                if offset >= end - 1:
                    self._reached[partition] = end
                    del ends[partition]
        self.done += len(batch)
        return batch

    def _end_of(self, message: Message, error: KafkaError, ends: dict[int, int]) -> None:
        """Handle the end of a partition, which comes even after transaction marks or aborted records."""
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return  # the client looks for the coordinator of a group, although it joins none
        if error.code() != KafkaError._PARTITION_EOF:
            raise self._client.explain(error)
        self._reached[message.partition()] = message.offset()
        if not self.topic.follow:
            ends.pop(message.partition(), None)

    def _is_idle(self, heard: float) -> bool:
        silence = time.monotonic() - heard
        if self.topic.follow:
            return self.topic.idle_seconds is not None and silence > self.topic.idle_seconds
        if silence > _STALLED_SECONDS:
            error = self._client.last_error
            why = f" ({error.str()})" if error else ""
            raise AuditError(f"topic {self.name}: nothing came for {_STALLED_SECONDS:.0f} s{why}")
        return False


def _rejected(message: Message) -> RejectedLine:
    headers = dict(message.headers() or ())
    reason, endpoint = (shown(headers.get(name) or b"") for name in (REASON_HEADER, ENDPOINT_HEADER))
    where = (message.partition(), message.offset(), message.timestamp()[1])
    return RejectedLine(message.value() or b"", reason, endpoint, *where)
