"""Watches for new records of a topic; if its job writes in transactions, for committed ones."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

# Without commits nothing waits for the group's coordinator, which may be stopped.
_QUIET = {
    "log_level": 0,
    "enable.auto.commit": False,
    "socket.timeout.ms": 3000,
    "reconnect.backoff.max.ms": 500,
}
# A recovery is measured by questions that are asked again and again: none may wait long for a stopped broker.
_LOOK_SECONDS = 2


class Arrivals:
    """`committed`: records of open and aborted transactions, and the marks of all of them, do not count."""

    def __init__(self, login: dict[str, Any], topic: str, committed: bool) -> None:
        isolation = "read_committed" if committed else "read_uncommitted"
        self._topic = topic
        self._settings = {**login, **_QUIET, "group.id": "win-event-faults", "isolation.level": isolation}
        self._consumer = Consumer(self._settings)

    def offsets(self) -> list[TopicPartition]:
        """The end offset of each partition; empty while the broker does not answer."""
        try:
            return [
                TopicPartition(self._topic, number, self._end(number))
                for number in sorted(self.leaders(_LOOK_SECONDS))
            ]
        except KafkaException:
            # A client whose broker was stopped was seen to stay without a connection for minutes. It is
            # dropped, not closed: close() was seen to wait as long.
            self._consumer = Consumer(self._settings)
            return []

    def count(self) -> int:
        """How many offsets are used, one per record without transactions; -1 while the broker is away."""
        ends = self.offsets()
        return sum(end.offset for end in ends) if ends else -1

    def mark(self) -> bool:
        """Set the mark after which a record is new; False while the broker does not answer."""
        ends = self.offsets()
        if ends:
            self._consumer.assign(ends)
        return bool(ends)

    def came(self) -> bool:
        """Whether a record has come since the mark. After True, set a new mark."""
        message = self._consumer.poll(0.05)
        if message is None or message.error():
            return False
        self._consumer.unassign()
        return True

    def leaders(self, seconds: float = 60) -> dict[int, int]:
        """The broker that leads each partition. Raises KafkaException after `seconds` without an answer."""
        found = self._consumer.list_topics(self._topic, timeout=seconds).topics[self._topic]
        return {number: partition.leader for number, partition in found.partitions.items()}

    def close(self) -> None:
        self._consumer.close()

    def _end(self, partition: int) -> int:
        _, end = self._consumer.get_watermark_offsets(
            TopicPartition(self._topic, partition), timeout=_LOOK_SECONDS
        )
        return int(end)
