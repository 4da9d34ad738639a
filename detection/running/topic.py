"""Events out of a topic, alerts into another: at least once, and the state is read back after a restart.

A consumer group keeps the position of each partition, and with it how far event time had come. A start reads
the partitions again from so long before that (timespan + lateness), tells nothing of what it finds there, and
goes on. Positions are committed only when the alerts that were found up to there are in Kafka.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from detection.alerts import Alert
from detection.correlation.clock import NEVER
from detection.detector import Detector
from detection.matching.rule_set import RuleSet
from kafka_setup.connection.reading import open_group_reader
from kafka_setup.connection.session import QUIET_CLIENT
from kafka_setup.connection.settings import KafkaConnection
from producer.events.event_time import TICKS
from producer.events.line_rule import parse_object

_REACH_SECONDS = 20.0
_BATCH = 2_000
_POLL_SECONDS = 0.05
_COMMIT_SECONDS = 1.0
_FLUSH_SECONDS = 60.0
_COORDINATOR_SECONDS = 60.0
_AHEAD = 3_600_000  # milliseconds: Kafka takes no record that is further ahead of its clock

T = TypeVar("T")


class TopicError(Exception):
    """Kafka refuses or cannot be reached; the text says what, and what to try."""


@dataclass(frozen=True)
class TopicSettings:
    """`alerts` None: alerts are not written to Kafka. `bounded`: end at the end offsets of the start."""

    connection: KafkaConnection
    topic: str
    group: str = "win-event-detection"
    alerts: str | None = "alerts"
    start_from: str = "earliest"
    bounded: bool = False


class TopicDriver:
    """One run. `stop()` may come from a signal handler: the batch at hand is finished and committed."""

    def __init__(self, settings: TopicSettings, detector: Detector, taken: Callable[[Alert], object]) -> None:
        self._settings, self._detector, self._taken = settings, detector, taken
        self._consumer = open_group_reader(settings.connection, settings.group)
        self._sink = _Sink(settings)
        self._next: dict[int, int] = {}  # the offset behind the last one that was taken
        self._committed: dict[int, int] = {}
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def run(self, new_rules: Callable[[], RuleSet | None] = lambda: None) -> None:
        """Raises TopicError."""
        try:
            self._follow(new_rules)
        except KafkaException as error:
            raise TopicError(_told(error.args[0], self._settings)) from error
        finally:
            self._consumer.close()

    def _follow(self, new_rules: Callable[[], RuleSet | None]) -> None:
        ends = self._begin()
        saved = time.monotonic()
        while not self._stopped and (ends or not self._settings.bounded):
            if (rules := new_rules()) is not None:
                self._detector.reload(rules)
            for partition, block, position in self._blocks(ends):
                for alert in self._detector.feed(block, str(partition)):
                    self._tell(alert)
                self._next[partition] = position
            if time.monotonic() - saved >= _COMMIT_SECONDS:
                self._commit()
                saved = time.monotonic()
        if self._settings.bounded and not self._stopped:
            for alert in self._detector.finish():
                self._tell(alert)
        self._commit()

    def _tell(self, alert: Alert) -> None:
        self._sink.put(alert)
        self._taken(alert)

    # Positions

    def _begin(self) -> dict[int, int]:
        """Assign every partition and read back what the state needs; the end offsets of now."""
        topic = self._settings.topic
        found = self._consumer.list_topics(topic, timeout=_REACH_SECONDS).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        wanted = [TopicPartition(topic, number) for number in sorted(found.partitions)]
        places = _coordinated(lambda: self._consumer.committed(wanted, timeout=_REACH_SECONDS))
        committed = {each.partition: each for each in places}
        ranges = {
            each.partition: self._consumer.get_watermark_offsets(each, _REACH_SECONDS) for each in wanted
        }
        for each in wanted:
            low, high = ranges[each.partition]
            first = low if self._settings.start_from == "earliest" else high
            known = committed[each.partition].offset
            self._next[each.partition] = max(known, low) if known >= 0 else first
            self._detector.clock.expect(str(each.partition))
        self._committed = {number: committed[number].offset for number in self._next}
        starts = self._starts(committed, ranges)
        self._remember(committed)
        self._read_back(starts)
        self._consumer.assign([TopicPartition(topic, *place) for place in self._next.items()])
        return {number: high for number, (_, high) in ranges.items() if high > self._next[number]}

    def _starts(
        self, committed: dict[int, TopicPartition], ranges: dict[int, tuple[int, int]]
    ) -> dict[int, int]:
        """Where the state begins: timespan + lateness before the event time that was committed."""
        asked = []
        for number, place in committed.items():
            mark = _mark(place)
            if mark is not None:
                since = mark - self._detector.memory_milliseconds
                asked.append(TopicPartition(self._settings.topic, number, max(since, 0)))
        if not asked or not self._detector.memory_milliseconds:
            return {}
        found = self._consumer.offsets_for_times(asked, timeout=_REACH_SECONDS)
        starts = {
            each.partition: max(each.offset, ranges[each.partition][0]) for each in found if each.offset >= 0
        }
        return {number: start for number, start in starts.items() if start < self._next[number]}

    def _remember(self, committed: dict[int, TopicPartition]) -> None:
        """The alerts that earlier runs have written and that may still grow: they keep their ids."""
        marks = [_mark(place) for place in committed.values()]
        known = [mark for mark in marks if mark is not None]
        if self._settings.alerts is None or not known or not self._detector.memory_milliseconds:
            return
        since = max(min(known) - self._detector.memory_milliseconds - _AHEAD, 0)
        for value in _values(self._consumer, self._settings.alerts, since):
            alert = parse_object(value)
            if alert and "rule_id" in alert and "merged_into" not in alert:
                self._detector.remember(alert)

    def _read_back(self, starts: dict[int, int]) -> None:
        """Feed what was taken already, and tell nothing of it: it was told."""
        ends = {number: self._next[number] for number in starts}
        self._consumer.assign([TopicPartition(self._settings.topic, *place) for place in starts.items()])
        while ends and not self._stopped:
            for partition, block, _ in self._blocks(ends, cut=True):
                for _ in self._detector.feed(block, str(partition)):
                    pass

    def _commit(self) -> None:
        """Alerts first, then the positions."""
        changed = {n: offset for n, offset in self._next.items() if offset != self._committed.get(n)}
        if not changed:
            return
        self._sink.flush()
        mark = self._detector.clock.watermark
        metadata = "" if mark == NEVER else str(mark)
        places = [TopicPartition(self._settings.topic, n, offset, metadata) for n, offset in changed.items()]
        _coordinated(lambda: self._consumer.commit(offsets=places, asynchronous=False))
        self._committed |= changed

    # Records

    def _blocks(self, ends: dict[int, int], cut: bool = False) -> Iterator[tuple[int, bytes, int]]:
        """(partition, lines, offset behind them) of one poll. Partitions that are read to `ends` leave it.

        `cut`: pass over what lies behind the ends.
        """
        messages = self._consumer.consume(_BATCH, _POLL_SECONDS)
        for partition, group in groupby(messages, key=Message.partition):
            lines, position = [], -1
            for message in group:
                if message.error() is not None:
                    self._end_of(message, ends)
                elif not cut or message.offset() < ends.get(partition, 0):
                    lines.append((message.value() or b"").replace(b"\n", b" "))
                    position = message.offset() + 1
                if position >= ends.get(partition, 2**63):
                    del ends[partition]
            if lines:
                yield partition, b"\n".join(lines) + b"\n", position

    def _end_of(self, message: Message, ends: dict[int, int]) -> None:
        """The end of a partition is no error: it does not hold the others any more."""
        error = message.error()
        if error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        if message.offset() >= ends.get(message.partition(), 2**63):
            del ends[message.partition()]
        for alert in self._detector.rest(str(message.partition())):
            self._tell(alert)


class _Sink:
    """Alerts as records: key is rule and group, value the alert."""

    def __init__(self, settings: TopicSettings) -> None:
        self._topic = settings.alerts
        writing = {"acks": "all", "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"}
        self._producer = Producer(settings.connection.client_settings() | QUIET_CLIENT | writing)
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

    def flush(self) -> None:
        """Raises KafkaException when an alert did not get through."""
        left = self._producer.flush(_FLUSH_SECONDS)
        if self._failed is not None:
            raise KafkaException(self._failed)
        if left:
            raise KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT))

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        self._failed = self._failed or error


def _coordinated(ask: Callable[[], T]) -> T:
    """The answer of the group's coordinator, which may be moving, or be made by the first request of all."""
    return Retrying(
        retry=retry_if_exception(_is_moving),
        wait=wait_fixed(0.5),
        stop=stop_after_delay(_COORDINATOR_SECONDS),
        reraise=True,
    )(ask)


def _is_moving(error: BaseException) -> bool:
    moving = (
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    )
    return isinstance(error, KafkaException) and error.args[0].code() in moving


def _mark(place: TopicPartition) -> int | None:
    """How far event time had come with a committed position, in milliseconds; None when it is not told."""
    told = place.metadata or ""
    known = place.offset >= 0 and told.lstrip("-").isdecimal()
    return int(told) // (TICKS // 1000) if known else None


def _values(consumer: Consumer, topic: str, since: int) -> Iterator[bytes]:
    """The values of all records of a topic from `since` (milliseconds) to its end."""
    found = consumer.list_topics(topic, timeout=_REACH_SECONDS).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    asked = [TopicPartition(topic, number, since) for number in found.partitions]
    starts = consumer.offsets_for_times(asked, timeout=_REACH_SECONDS)
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


def _told(error: KafkaError, settings: TopicSettings) -> str:
    user, servers = settings.connection.username, settings.connection.bootstrap_servers
    advice = {
        KafkaError.TOPIC_AUTHORIZATION_FAILED: f"user {user!r} needs READ on {settings.topic}, READ and "
        f"WRITE on {settings.alerts}: win-event-kafka-setup apply",
        KafkaError.GROUP_AUTHORIZATION_FAILED: f"user {user!r} needs READ on group {settings.group}",
        KafkaError.UNKNOWN_TOPIC_OR_PART: f"there is no topic {settings.topic} or {settings.alerts}",
        # The broker has answered already: a coordinator that never comes is one that we may not ask.
        KafkaError._TIMED_OUT: f"user {user!r} needs READ on {settings.topic} and on group {settings.group}",
        KafkaError._TRANSPORT: f"no broker answers at {servers}: is it up?",
        KafkaError._AUTHENTICATION: "check KAFKA_USERNAME and the password",
    }
    return f"Kafka at {servers}: {error.str()}: {advice.get(error.code(), 'is it up, is the login right?')}"
