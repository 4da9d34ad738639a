"""The position in each partition: stored by the consumer group, together with the event time."""

from __future__ import annotations

from confluent_kafka import Consumer, KafkaException, TopicPartition

from detection.correlation.clock import NEVER
from kafka_setup.connection.reading import PASSING, coordinated
from kafka_setup.connection.settings import REQUEST_TIMEOUT
from producer.events.event_time import TICKS


class Positions:
    """The positions of a run. `next`: the next offset, by partition. All methods raise KafkaException."""

    def __init__(self, consumer: Consumer, topic: str, start_from: str) -> None:
        """`start_from` (earliest or latest) is for partitions without a committed position."""
        self._consumer, self._topic = consumer, topic
        found = consumer.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        wanted = [TopicPartition(topic, number) for number in sorted(found.partitions)]
        places = coordinated(lambda: consumer.committed(wanted, timeout=REQUEST_TIMEOUT))
        self._ranges: dict[int, tuple[int, int]] = {
            each.partition: consumer.get_watermark_offsets(each, REQUEST_TIMEOUT) for each in wanted
        }
        self._committed: dict[int, int] = {each.partition: each.offset for each in places}
        self.deleted = {
            number: low - self._committed[number]
            for number, (low, _) in self._ranges.items()
            if 0 <= self._committed[number] < low
        }
        """By partition: records that were deleted, by the topic's retention, before they were read."""
        self.next = {
            number: self._first(number, known, start_from) for number, known in self._committed.items()
        }
        self._told = {each.partition: each.metadata or "" for each in places}
        self._marks = {each.partition: mark for each in places if (mark := _mark(each)) is not None}

    @property
    def ends(self) -> dict[int, int]:
        """The end offsets at the start, of partitions that are not read up to them yet."""
        return {number: high for number, (_, high) in self._ranges.items() if high > self.next[number]}

    @property
    def event_time(self) -> int | None:
        """The committed event time of the slowest partition, in milliseconds."""
        return min(self._marks.values(), default=None)

    def before(self, milliseconds: int) -> dict[int, int]:
        """The offsets from which so much event time is read again, if they are before `next`."""
        asked = [
            TopicPartition(self._topic, number, max(mark - milliseconds, 0))
            for number, mark in self._marks.items()
        ]
        found = self._consumer.offsets_for_times(asked, timeout=REQUEST_TIMEOUT) if asked else []
        starts = {
            each.partition: max(each.offset, self._ranges[each.partition][0])
            for each in found
            if each.offset >= 0
        }
        return {number: start for number, start in starts.items() if start < self.next[number]}

    def after_deletion(self, number: int) -> int:
        """Move `next` to the first record that is left; returns how many records were deleted unread."""
        low, _ = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), REQUEST_TIMEOUT)
        before, self.next[number] = self.next[number], low
        return max(self.next[number] - before, 0)

    @property
    def changed(self) -> dict[int, int]:
        """The positions that must be committed."""
        return {n: offset for n, offset in self.next.items() if offset != self._committed[n]}

    def commit(self, watermark: int) -> bool:
        """Commit the positions, each with the `watermark` in ticks. False if Kafka does not answer now.

        While there is no watermark, because a partition cannot be read yet, the one before stays.
        """
        changed = self.changed
        if watermark != NEVER:
            self._told = dict.fromkeys(self._told, str(watermark))
        places = [TopicPartition(self._topic, n, offset, self._told[n]) for n, offset in changed.items()]
        try:
            coordinated(lambda: self._consumer.commit(offsets=places, asynchronous=False))
        except KafkaException as error:
            if error.args[0].code() in PASSING:
                return False
            raise
        self._committed |= changed
        return True

    def _first(self, number: int, known: int, start_from: str) -> int:
        low, high = self._ranges[number]
        if known >= 0:
            return max(known, low)
        return low if start_from == "earliest" else high


def _mark(place: TopicPartition) -> int | None:
    """The event time stored with a committed position, in milliseconds; None if there is none."""
    told = place.metadata or ""
    known = place.offset >= 0 and told.lstrip("-").isdecimal()
    return int(told) // (TICKS // 1000) if known else None
