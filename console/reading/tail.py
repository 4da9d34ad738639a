"""Follows the topics in one thread: every record goes to `take`, as far as `max_rate` allows.

If more records arrive, the position jumps to the end of the topic and the records left out are counted,
because a late page helps nobody. The position is never committed, so the user needs no permission for a
group.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from console.reading.poller import STOP_SECONDS, AwayError
from kafka_setup.connection.session import KafkaUnavailableError, new_client
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection

_log = logging.getLogger("console.tail")
NO_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
_BATCH = 2_000
_POLL_SECONDS = 0.1
_LOOK_SECONDS = 5.0  # seconds between two searches for new topics
_SHORT = 2.0  # seconds for a search while records wait to be read; the next search comes soon
_ALLOWED_BACKLOG = 2.0  # seconds of max_rate
GROUP = "win-event-console"  # librdkafka requires a name; nothing is ever committed under it


class Tail:
    """`starts`: topic → how many of the newest records of each partition are read first.

    `take` is called in the thread, with every record; `forget` with a partition of a topic that was deleted
    and created again, before its first new record.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        starts: dict[str, int],
        take: Callable[[Message], None],
        forget: Callable[[str, int], None],
        max_rate: int,
    ) -> None:
        self._connection, self._starts, self._max_rate = connection, starts, max_rate
        self._take, self._forget = take, forget
        self.skipped = 0
        self.followed: frozenset[str] = frozenset()
        self._problem: str | None = "not connected yet"
        self._unread: dict[str, str] = {}  # topics that cannot be read, and why
        self.ends_at_start: dict[tuple[str, int], int] = {}  # records from here on are new
        self._next: dict[tuple[str, int], int] = {}  # the offset after the last record
        self._following: set[tuple[str, int]] = set()
        self._ended: set[tuple[str, int]] = set()  # partitions whose end was reached once
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="console-tail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    @property
    def problem(self) -> str | None:
        """Why nothing is read, or why some topics are not. Any thread may call it."""
        return self._problem or "; ".join(sorted(self._unread.copy().values())) or None

    def has_read(self, topic: str) -> bool:
        """Whether all partitions of the topic were read up to their ends once. Any thread may call it."""
        return topic in self.followed and all(
            each in self._ended for each in self.ends_at_start.copy() if each[0] == topic
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except AwayError as error:
                self._problem = str(error)
            except KafkaException as error:
                self._problem = str(error.args[0].str())
            except Exception as error:  # a fault of ours: without this thread, nothing would be read any more
                _log.exception("%s", self._thread.name)
                self._problem = repr(error)
            self._stopping.wait(1.0)

    def _follow(self) -> None:
        consumer = open_consumer(self._connection, **{"enable.partition.eof": True})
        self._following.clear()
        look_at = 0.0
        try:
            while not self._stopping.is_set():
                if time.monotonic() >= look_at:
                    self._look_for_partitions(consumer)
                    look_at = time.monotonic() + (_LOOK_SECONDS if self._following else 1.0)
                try:
                    self._follow_for_a_second(consumer)
                except KafkaException as error:  # a partition that is gone, for example
                    self._problem = str(error.args[0].str())
                    self._stopping.wait(1.0)
        finally:
            consumer.close()

    def _look_for_partitions(self, consumer: Consumer) -> None:
        try:
            topics = consumer.list_topics(timeout=_SHORT if self._following else REQUEST_TIMEOUT).topics
            there = {
                (name, part) for name in self._starts if name in topics for part in topics[name].partitions
            }
            new = [
                TopicPartition(*each, self._first(consumer, each)) for each in sorted(there - self._following)
            ]
            if new:
                consumer.incremental_assign(new)
                self._following |= {(each.topic, each.partition) for each in new}
            self.followed = frozenset(topic for topic, _ in self._following)
            self._problem = None
        except KafkaException as error:
            self._problem = str(error.args[0].str())

    def _first(self, consumer: Consumer, each: tuple[str, int]) -> int:
        if each in self._next:  # of an earlier consumer
            return self._next[each]
        start, end = consumer.get_watermark_offsets(TopicPartition(*each), timeout=REQUEST_TIMEOUT)
        # All records of a topic that is created later are new.
        self.ends_at_start[each] = start if self.followed else end
        self._next[each] = max(start, end - self._starts[each[0]])
        return self._next[each]

    def _follow_for_a_second(self, consumer: Consumer) -> None:
        """Read at most `max_rate` records, then wait until the second is over."""
        ends, left = time.monotonic() + 1.0, self._max_rate
        while left > 0 and (now := time.monotonic()) < ends and not self._stopping.is_set():
            messages = consumer.consume(min(_BATCH, left), min(_POLL_SECONDS, ends - now))
            left -= len(messages)
            self._hand_over(messages)
        if left <= 0:
            self._stopping.wait(max(0.0, ends - time.monotonic()))
            self._leave_out(consumer)

    def _hand_over(self, messages: Iterable[Message]) -> None:
        for message in messages:
            error, place = message.error(), (message.topic(), message.partition())
            if error is None:
                self._go_on(place, message.offset(), message.offset() + 1)
                self._take(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._go_on(place, message.offset(), message.offset())
                self._ended.add(place)
            elif place[0] is None:  # it is about the whole client
                self._problem = str(error.str())
            elif error.code() not in NO_TOPIC:  # it is looked for again
                self._unread[place[0]] = unreadable(place[0], error)

    def _go_on(self, place: tuple[str, int], offset: int, following: int) -> None:
        """An offset, or an end, that was passed already: the topic was deleted and created again."""
        if offset < self._next[place]:
            self.ends_at_start[place] = 0
            self._forget(*place)
        self._next[place] = following
        self._unread.pop(place[0], None)

    def _leave_out(self, consumer: Consumer) -> None:
        """Skip records that cannot be read in time, in the partitions that are too far behind."""
        for place in consumer.position(consumer.assignment()):
            _, end = consumer.get_watermark_offsets(place, cached=True)
            fresh = fresh_offset(
                place.offset, end, self._starts[place.topic], int(self._max_rate * _ALLOWED_BACKLOG)
            )
            if fresh > place.offset:
                consumer.seek(TopicPartition(place.topic, place.partition, fresh))
                self.skipped += fresh - place.offset


def unreadable(topic: str, error: KafkaError) -> str:
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return f"the user of the console may not read {topic}: allow it READ in the topology"
    return f"{topic} cannot be read: {error.str()}"


def fresh_offset(offset: int, end: int, newest: int, allowed: int) -> int:
    """Where to continue: at `offset`, or, if more than `allowed` records wait, at the `newest` of them.

    `offset` is negative if nothing was read yet.
    """
    if offset < 0 or end - offset <= allowed:
        return offset
    return max(offset, end - min(newest, allowed))


def open_consumer(connection: KafkaConnection, **more: Any) -> Consumer:
    """Raises AwayError if the settings cannot be used, such as a CA file that is no PEM file."""
    reading = {
        "group.id": GROUP,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",  # the topic was deleted and created again
        "fetch.wait.max.ms": 100,
        "reconnect.backoff.max.ms": 1_000,
        "queued.max.messages.kbytes": 16_384,
        "error_cb": lambda _error: None,
        **more,
    }
    try:
        return new_client(Consumer, connection, reading)
    except KafkaUnavailableError as error:
        raise AwayError(str(error)) from error
