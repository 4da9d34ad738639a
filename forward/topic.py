"""A Kafka topic that a consumer group reads: its records, its end, its committed positions."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from kafka_setup.connection.reading import PASSING, coordinated, open_group_reader
from kafka_setup.connection.session import KafkaUnavailableError, open_admin
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection

# While Kafka is away. A late answer is lost, so each question waits twice as long as the one before, but
# never long: a stop waits for it.
_ASK_SECONDS, _LONGEST_ASK, _ASK_PAUSE = 0.5, 8.0, 2.0
_BATCH = 1_000
_COMMIT_SECONDS = 60.0
# Another reader has the partitions and sends the uncommitted records again.
_NOT_OURS = (
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._NO_OFFSET,
)


class TopicError(Exception):
    """Kafka refuses or cannot be reached; the text says why, and what to try."""


@dataclass(frozen=True)
class TopicSettings:
    """The topic and how to read it. `start_from`: earliest or latest, if the group has committed nothing."""

    connection: KafkaConnection
    topic: str
    group: str
    start_from: str = "earliest"


class Topic:
    """A topic with its reader. `positions` returns the offsets to commit."""

    def __init__(self, settings: TopicSettings, positions: Callable[[], Mapping[int, int]]) -> None:
        """Raises TopicError if the settings cannot be used."""
        self.name = settings.topic
        self._settings, self._positions = settings, positions
        try:
            # After a kill, a new start waits 45 s (Kafka's default) for the dead reader. With less, a reader
            # on a busy machine loses its partitions, and uncommitted records are sent twice.
            self._consumer = open_group_reader(settings.connection, settings.group, on_error=self._heard_of)
        except KafkaUnavailableError as error:
            raise TopicError(str(error)) from error
        self._committed: dict[int, int] = {}
        self._next: dict[int, int] = {}  # partition -> the offset that is read next
        self._deleted: Callable[[int, int], object] = lambda partition, records: None
        self._paused = False
        self.assigned: set[int] = set()
        self._away_since: float | None = None
        self._ask_at = 0.0
        self._ask_seconds = _ASK_SECONDS

    def open(
        self,
        lost: Callable[[Sequence[int]], object],
        deleted: Callable[[int, int], object],
        wait: float,
    ) -> dict[int, int]:
        """Join the group; returns the end offset of every partition that is not empty. Raises TopicError.

        `lost` is called with partitions that go to another reader, `deleted` with a partition and the number
        of records in it that the topic's retention has deleted before they were read.
        """
        self._deleted = deleted
        try:
            open_admin(self._settings.connection, wait=wait)
            found = self._consumer.list_topics(self.name, timeout=REQUEST_TIMEOUT).topics[self.name]
            if found.error is not None:
                raise KafkaException(found.error)
            ranges = {
                number: self._consumer.get_watermark_offsets(
                    TopicPartition(self.name, number), REQUEST_TIMEOUT
                )
                for number in found.partitions
            }
        except KafkaUnavailableError as error:
            raise TopicError(str(error)) from error
        except KafkaException as error:
            raise self.explained(error.args[0]) from error

        def assigned(_: Consumer, partitions: list[TopicPartition]) -> None:
            self.assigned = {each.partition for each in partitions}
            self._next = {}
            with suppress(KafkaException):  # no broker answers now: the client asks again by itself
                self._find_places(self.assigned)
            self._assign()

        def revoked(_: Consumer, partitions: list[TopicPartition]) -> None:
            if self._away_since is None:  # else it would wait a long time for nothing
                self.commit()
            gone = [each.partition for each in partitions]
            self.assigned -= set(gone)
            for number in gone:
                self._committed.pop(number, None)
                self._next.pop(number, None)
            lost(gone)

        self._consumer.subscribe([self.name], on_assign=assigned, on_revoke=revoked)
        return {number: high for number, (low, high) in ranges.items() if high > low}

    def _place(self, number: int, position: int) -> int:
        """The offset to read next: the position or, if that was deleted, the first record that is left.

        `position` is negative in a partition of which nothing was committed: there, --start-from decides.
        """
        low: int
        high: int
        low, high = self._consumer.get_watermark_offsets(TopicPartition(self.name, number), REQUEST_TIMEOUT)
        if position < 0:
            return low if self._settings.start_from == "earliest" else high
        if position < low:
            self._deleted(number, low - position)
        return position if low <= position <= high else low

    def _find_places(self, numbers: Collection[int]) -> None:
        """Set the offsets to read next: from those before, or the committed ones. Raises KafkaException."""
        asked = [TopicPartition(self.name, number) for number in numbers if number not in self._next]
        ask = partial(self._consumer.committed, asked, timeout=REQUEST_TIMEOUT)
        places = coordinated(ask) if asked else []
        known = {each.partition: each.offset for each in places} | self._next
        for number in numbers:
            self._next[number] = self._place(number, known[number])

    def _assign(self) -> None:
        """Read all partitions on; the client itself finds out the place of one that has none yet."""
        places = [(number, self._next.get(number, OFFSET_INVALID)) for number in self.assigned]
        self._consumer.assign([TopicPartition(self.name, *place) for place in places])
        self._paused = False

    def read(self, seconds: float, *, more: bool) -> tuple[list[Message], dict[int, int]]:
        """Messages, and the partitions whose end was reached, with that offset.

        Without `more`, nothing is read, but the group sees that this reader is alive. Raises TopicError.
        """
        if more is self._paused:
            self._pause(not more)
        messages, ends = [], {}
        unknown = []  # partitions without a record at the position
        for message in self._consumer.consume(_BATCH, seconds):
            error = message.error()
            if error is None:
                messages.append(message)
                self._next[message.partition()] = message.offset() + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                ends[message.partition()] = message.offset()
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                unknown.append(message.partition())
            elif error.fatal() or not error.retriable():
                raise self.explained(error)
        if unknown:
            try:
                self._find_places(unknown)
            except KafkaException as error:
                raise self.explained(error.args[0]) from error
            self._assign()
        return messages, ends

    def commit(self) -> bool:
        """Commit changed positions; False if it must be tried again. Raises TopicError."""
        changed = {n: at for n, at in self._positions().items() if at != self._committed.get(n)}
        if not changed:
            return True
        places = [TopicPartition(self.name, number, offset) for number, offset in changed.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            code = error.args[0].code()
            if code in _NOT_OURS:
                return True
            if code in PASSING:
                return False
            raise self.explained(error.args[0]) from error
        self._committed |= changed
        return True

    def away(self) -> float:
        """Seconds for which no broker has answered; 0 while one does. Meanwhile it asks again and again."""
        since = self._away_since
        if since is None:
            return 0.0
        now = time.monotonic()
        if now >= self._ask_at:
            try:
                self._consumer.list_topics(self.name, timeout=self._ask_seconds)
                self._away_since, self._ask_seconds = None, _ASK_SECONDS
                return 0.0
            except KafkaException:
                self._ask_seconds = min(2 * self._ask_seconds, _LONGEST_ASK)
                self._ask_at = time.monotonic() + _ASK_PAUSE
        return max(now - since, 0.001)

    def lag(self) -> dict[int, int]:
        """The number of records that are not done yet, by partition."""
        positions = self._positions()
        return {n: max(self._end(n) - positions.get(n, begin), 0) for n, begin in self._next.items()}

    def _end(self, number: int) -> int:
        place = TopicPartition(self.name, number)
        high: int
        if self._paused and self._away_since is None:  # the client hears of no new end
            try:
                # Only for the lag in the metrics: without an answer, the last known end counts.
                _, high = self._consumer.get_watermark_offsets(place, _ASK_SECONDS)
                return high
            except KafkaException:
                pass
        _, high = self._consumer.get_watermark_offsets(place, cached=True)
        return high

    def close(self, *, patient: bool = True) -> None:
        """Commit and leave the group. Raises TopicError.

        If Kafka is away, a `patient` reader waits a minute for it, any other commits nothing.
        """
        try:
            trying = Retrying(
                retry=retry_if_result(lambda done: not done),
                wait=wait_fixed(0.5),
                stop=stop_after_delay(_COMMIT_SECONDS),
                retry_error_callback=lambda _: False,
            )
            if (self.away() and not patient) or not trying(self.commit):
                raise TopicError(
                    f"the last positions in {self.name} could not be committed: the next start sends the "
                    "last records again"
                )
        finally:
            self._consumer.close()

    def explained(self, error: KafkaError) -> TopicError:
        """The error as a sentence that says what to do."""
        connection, group = self._settings.connection, self._settings.group
        user, servers = connection.username, connection.bootstrap_servers
        advice = {
            KafkaError.TOPIC_AUTHORIZATION_FAILED: f"user {user!r} needs READ on it",
            KafkaError.GROUP_AUTHORIZATION_FAILED: f"user {user!r} needs READ on group {group}",
            KafkaError.UNKNOWN_TOPIC_OR_PART: "there is no such topic, or the user may not see it",
        }.get(error.code(), f"is Kafka up at {servers}, is the login right?")
        return TopicError(f"topic {self.name}: {error.str()}: {advice}")

    def _heard_of(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._away_since is None:
            self._away_since, self._ask_at = time.monotonic(), 0.0

    def _pause(self, paused: bool) -> None:
        places = [TopicPartition(self.name, number) for number in self.assigned]
        (self._consumer.pause if paused else self._consumer.resume)(places)
        self._paused = paused
