"""One run over a topic: it feeds batches of records to the detector, writes alerts, and commits positions.

A position is committed only when all alerts up to it are in Kafka.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import groupby

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from detection.alerts import Alert
from detection.detector import Counts, Detector
from detection.matching.rule_set import RuleSet
from detection.topic.alert_topic import AlertWriter, values_since
from detection.topic.positions import Positions
from detection.topic.settings import TopicError, TopicSettings
from kafka_setup.connection.diagnosis import setup_command
from kafka_setup.connection.reading import open_group_reader
from kafka_setup.connection.session import KafkaUnavailableError, require_protocol
from producer.events.line_rule import parse_object

_BATCH = 2_000
_POLL_SECONDS = 0.05
_COMMIT_SECONDS = 1.0
# No event is read during a flush, so it is short: what is not written yet is flushed again a second later.
# At the end of a run there is no second try.
_FLUSH_SECONDS, _LAST_SECONDS = 5.0, 60.0
_AHEAD = 3_600_000  # milliseconds: Kafka accepts no record further ahead of its clock


class TopicDriver:
    """One run. A signal handler may call `stop()`: the current batch is finished and committed.

    `say` gets the sentences for the person at the terminal.
    """

    def __init__(
        self,
        settings: TopicSettings,
        detector: Detector,
        taken: Callable[[Alert], object],
        say: Callable[[str], object],
    ) -> None:
        """Raises TopicError."""
        self._settings, self._detector, self._taken, self._say = settings, detector, taken, say
        self._kafka_answers = True
        self._unplaced: list[int] = []  # partitions without a record at their position
        try:
            self._consumer = open_group_reader(settings.connection, settings.group)
            self._alerts = AlertWriter(settings)
        except KafkaUnavailableError as error:
            raise TopicError(str(error)) from error
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def run(self, new_rules: Callable[[], RuleSet | None] = lambda: None) -> None:
        """Read the topic until it is stopped, or to its end. Raises TopicError."""
        try:
            require_protocol(self._settings.connection)
            self._follow(self._begin(), new_rules)
        except KafkaUnavailableError as error:
            raise TopicError(str(error)) from error
        except KafkaException as error:
            raise TopicError(_told(error.args[0], self._settings)) from error
        finally:
            self._consumer.close()

    def _begin(self) -> Positions:
        """Assign every partition, and restore the state at its committed position."""
        positions = Positions(self._consumer, self._settings.topic, self._settings.start_from)
        for number in positions.next:
            self._detector.clock.expect(str(number))
        for number, count in positions.deleted.items():
            self._say_deleted(number, count)
        reach = self._detector.memory_milliseconds
        if reach and (event_time := positions.event_time) is not None:
            self._remember(event_time - reach)
            self._read_back(positions.before(reach), positions.next)
            self._detector.counts = Counts()  # of this run's events only
        self._assign(positions.next)
        return positions

    def _follow(self, positions: Positions, new_rules: Callable[[], RuleSet | None]) -> None:
        ends = positions.ends
        saved = time.monotonic()
        while not self._stopped and (ends or not self._settings.bounded):
            if (rules := new_rules()) is not None:
                for alert in self._detector.reload(rules):
                    self._tell(alert)
            for partition, block, position in self._blocks(ends):
                for alert in self._detector.feed(block, str(partition)):
                    self._tell(alert)
                positions.next[partition] = position
            if self._unplaced:
                self._place_again(positions)
            if time.monotonic() - saved >= _COMMIT_SECONDS:
                self._commit(positions)
                saved = time.monotonic()
        if self._settings.bounded and not self._stopped:
            for alert in self._detector.finish():
                self._tell(alert)
        if not self._commit(positions, _LAST_SECONDS):
            self._say("the last positions could not be committed: the next start reads the last events again")

    def _place_again(self, positions: Positions) -> None:
        """Go on after what retention has deleted."""
        for number in self._unplaced:
            if deleted := positions.after_deletion(number):
                self._say_deleted(number, deleted)
        self._unplaced = []
        self._assign(positions.next)

    def _say_deleted(self, number: int, count: int) -> None:
        self._say(
            f"partition {number} of {self._settings.topic}: {count:,} records were deleted before they "
            "were read (see the topic's retention)"
        )

    def _tell(self, alert: Alert) -> None:
        self._alerts.put(alert)
        self._taken(alert)

    def _commit(self, positions: Positions, seconds: float = _FLUSH_SECONDS) -> bool:
        """Flush the alerts, then commit the positions; both wait if no broker answers. False if they wait."""
        if not positions.changed:
            return True
        done = self._alerts.flush(seconds) and positions.commit(self._detector.clock.watermark)
        if done != self._kafka_answers:
            self._kafka_answers, servers = done, self._settings.connection.bootstrap_servers
            found = "answers again" if done else "does not answer: alerts and positions wait for it"
            self._say(f"Kafka at {servers} {found}")
        return done

    def _assign(self, offsets: dict[int, int]) -> None:
        self._consumer.assign([TopicPartition(self._settings.topic, *place) for place in offsets.items()])

    def _remember(self, since: int) -> None:
        """Read the alerts of earlier runs that may still grow, so that they keep their ids."""
        if self._settings.alerts is None:
            return
        for value in values_since(self._consumer, self._settings.alerts, max(since - _AHEAD, 0)):
            alert = parse_object(value)
            if alert and "rule_id" in alert and "merged_into" not in alert:
                self._detector.remember(alert)

    def _read_back(self, starts: dict[int, int], ends: dict[int, int]) -> None:
        """Feed the events before the committed positions again, without reporting them."""
        left = {number: ends[number] for number in starts}
        self._assign(starts)
        while left and not self._stopped:
            for partition, block, _ in self._blocks(left, cut=True):
                for _ in self._detector.feed(block, str(partition)):
                    pass
            for number in self._unplaced:  # deleted meanwhile: there is nothing to read again
                left.pop(number, None)
            self._unplaced = []

    def _blocks(self, ends: dict[int, int], cut: bool = False) -> Iterator[tuple[int, bytes, int]]:
        """Yields (partition, lines, next offset) of one poll. Partitions that are read to their end are
        removed from `ends`.

        `cut`: skip records after the ends, and do not tell what the end of a partition brings.
        """
        messages = self._consumer.consume(_BATCH, _POLL_SECONDS)
        for partition, group in groupby(messages, key=Message.partition):
            lines, position = [], -1
            for message in group:
                if message.error() is not None:
                    self._end_of(message, ends, tell=not cut)
                elif not cut or message.offset() < ends.get(partition, 0):
                    lines.append((message.value() or b"").replace(b"\n", b" "))
                    position = message.offset() + 1
                if position >= ends.get(partition, 2**63):
                    del ends[partition]
            if lines:
                yield partition, b"\n".join(lines) + b"\n", position

    def _end_of(self, message: Message, ends: dict[int, int], tell: bool) -> None:
        """Handle the end of a partition: it does not hold back the others any more."""
        error = message.error()
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._unplaced.append(message.partition())
            return
        if error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        if message.offset() >= ends.get(message.partition(), 2**63):
            del ends[message.partition()]
        for alert in self._detector.rest(str(message.partition())):
            if tell:
                self._tell(alert)


def _told(error: KafkaError, settings: TopicSettings) -> str:
    user, servers = settings.connection.username, settings.connection.bootstrap_servers
    setup = setup_command(os.environ, settings.topic)
    advice = {
        KafkaError.TOPIC_AUTHORIZATION_FAILED: f"user {user!r} needs READ on {settings.topic}, READ and "
        f"WRITE on {settings.alerts}: {setup}",
        KafkaError.GROUP_AUTHORIZATION_FAILED: f"user {user!r} needs READ on group {settings.group}",
        KafkaError.UNKNOWN_TOPIC_OR_PART: f"there is no topic {settings.topic} or {settings.alerts}: {setup}",
        # The broker has answered before, so a missing answer of the coordinator means that permission is
        # missing.
        KafkaError._TIMED_OUT: f"user {user!r} needs READ on {settings.topic} and on group {settings.group}",
        KafkaError._TRANSPORT: f"no broker answers at {servers}: is it up?",
        KafkaError._AUTHENTICATION: "check KAFKA_USERNAME and the password",
    }
    return f"Kafka at {servers}: {error.str()}: {advice.get(error.code(), 'is it up, is the login right?')}"
