"""Forwards a topic to a stream until it is stopped: read, send, record the answers, commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import Message
from tenacity import RetryCallState, Retrying, wait_random_exponential

from forward.counts import Counts
from forward.records import Record, partition_key, refusal
from forward.stream import Stream, StreamError
from forward.topic import Topic, TopicError, TopicSettings
from forward.window import Window

_HELD_RECORDS = 10_000
_HELD_BYTES = 32 * 2**20
_HELD_OFFSETS = 1_000_000  # of records that are in the stream, after one that is not
_COMMIT_SECONDS = 1.0
_IDLE_SECONDS = 0.1
_FINISH_SECONDS = 60.0
_BACKOFF = wait_random_exponential(multiplier=0.1, max=5)

Say = Callable[[str], object]


@dataclass(frozen=True)
class ForwardSettings:
    """The settings of a run.

    `create_shards` None: do not create the stream. `bounded`: stop at the end offsets of the start.
    `give_up_after`: seconds for which the stream may take nothing, or Kafka may not answer. `wait`: seconds
    for Kafka at the start.
    """

    topic: TopicSettings
    stream: str
    create_shards: int | None = None
    bounded: bool = False
    give_up_after: float = 300.0
    wait: float = 60.0


class Forwarder:
    """One run. A signal handler may call `stop()`: records that were read are then sent and committed."""

    def __init__(self, settings: ForwardSettings, stream: Stream, say: Say) -> None:
        self.settings, self.counts = settings, Counts()
        self.window = Window(_backoff_seconds)
        self.topic = Topic(settings.topic, self.window.positions)
        self._stream, self._say = stream, say
        self._unread: dict[int, int] = {}  # partition -> end offset that is not reached yet
        self._stopped: float | None = None
        self._heard = 0.0  # when the stream last took a record, or nothing waited

    def stop(self) -> None:
        self._stopped = self._stopped or time.monotonic()

    def open(self) -> None:
        """Connect to both sides. A KeyboardInterrupt may end it, because nothing was read yet.

        Raises StreamError, TopicError.
        """
        self._stream.open(self.settings.create_shards)
        ends = self.topic.open(self.window.forget, self._deleted, self.settings.wait)
        self._unread = ends if self.settings.bounded else {}

    def run(self) -> None:
        """Raises StreamError, TopicError."""
        try:
            self._follow()
        except BaseException:
            try:
                self.topic.close(patient=False)
            except TopicError as error:  # the first error is the reason
                self._say(str(error))
            raise
        self.topic.close()

    def _follow(self) -> None:
        saved = self._heard = time.monotonic()
        while not self._is_over():
            self._read()
            self._look_after_kafka()
            self._send()
            if time.monotonic() - saved >= _COMMIT_SECONDS:
                if self.counts.kafka_up:  # else it would wait half a minute for an answer
                    self.topic.commit()
                self.counts.lag = self.topic.lag()
                saved = time.monotonic()

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._stopped is not None:
            return not self.window.records or now - self._stopped > _FINISH_SECONDS
        if self.window.records and now - self._heard > self.settings.give_up_after:
            codes = ", ".join(self.counts.retries)
            name, seconds = self.settings.stream, self.settings.give_up_after
            raise StreamError(f"stream {name} accepted nothing for {seconds:.0f} s ({codes})")
        return self.settings.bounded and not self._unread and not self.window.records

    def _look_after_kafka(self) -> None:
        """Report once that Kafka is away, and once that it is back. Raises TopicError if it stays away."""
        away, counts = self.topic.away(), self.counts
        servers = self.settings.topic.connection.bootstrap_servers
        if away and counts.kafka_up:
            counts.kafka_lost += 1
            self._say(f"Kafka at {servers} does not answer: waiting for it")
        elif not away and not counts.kafka_up:
            self._say(f"Kafka at {servers} answers again")
        counts.kafka_up = not away
        if away > self.settings.give_up_after:
            raise TopicError(f"Kafka at {servers} did not answer for {away:.0f} s: is it up?")

    def _read(self) -> None:
        due = self.window.seconds_until_due(time.monotonic())
        window = self.window
        room = window.records < _HELD_RECORDS and window.size < _HELD_BYTES
        more = self._stopped is None and room and window.offsets < _HELD_OFFSETS
        messages, ends = self.topic.read(min(_IDLE_SECONDS, _IDLE_SECONDS if due is None else due), more=more)
        self._take(messages)
        for partition, offset in ends.items():
            self._passed(partition, offset)

    def _take(self, messages: Sequence[Message]) -> None:
        if not self.window.records:
            self._heard = time.monotonic()
        for message in messages:
            partition, offset = message.partition(), message.offset()
            key = partition_key(message.key(), partition, offset)
            record = Record(partition, offset, key, message.value() or b"")
            if (reason := refusal(record)) is None:
                self.window.add(record)
            else:
                self.window.pass_over(record)
                self._reject(record, reason)
            self._passed(partition, offset + 1)

    def _reject(self, record: Record, reason: str) -> None:
        if self.counts.reject(reason):
            self._say(
                f"rejected as {reason}: topic {self.topic.name} partition {record.partition} offset "
                f"{record.offset} ({record.size:,} bytes with its key); more of these are only counted"
            )

    def _deleted(self, partition: int, records: int) -> None:
        self.counts.deleted += records
        self._say(
            f"partition {partition} of topic {self.topic.name}: {records:,} records were deleted before they "
            "were read (see the topic's retention)"
        )

    def _passed(self, partition: int, position: int) -> None:
        if position >= self._unread.get(partition, position + 1):
            del self._unread[partition]

    def _send(self) -> None:
        batch = self.window.batch(time.monotonic())
        if not batch:
            return
        answers = self._stream.put([held.record for held in batch])
        now = time.monotonic()
        self.counts.requests += 1
        for held, code in zip(batch, answers, strict=True):
            if code is None:
                self.window.accepted(held)
                self.counts.accept(held.record)
                self._heard = now
            else:
                self.window.failed(held, now)
                self.counts.retries[code] += 1


def _backoff_seconds(attempts: int) -> float:
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempts
    return _BACKOFF(state)
