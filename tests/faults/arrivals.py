"""Watches for what reaches a reader of a topic: committed records when its job writes in transactions."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

_QUIET = {"log_level": 0, "socket.timeout.ms": 3000, "reconnect.backoff.max.ms": 500}


class Arrivals:
    """`committed`: records of open and aborted transactions, and the marks of all of them, do not count."""

    def __init__(self, login: dict[str, Any], topic: str, committed: bool) -> None:
        isolation = "read_committed" if committed else "read_uncommitted"
        self._topic = topic
        self._settings = {**login, **_QUIET, "group.id": "win-event-faults", "isolation.level": isolation}
        self._consumer = Consumer(self._settings)

    def offsets(self) -> list[TopicPartition]:
        """The end of each partition; empty while the broker is away."""
        try:
            return [
                TopicPartition(self._topic, number, self._end(number)) for number in sorted(self.leaders())
            ]
        except KafkaException:
            # A client whose broker was stopped was seen to stay without a connection for minutes.
            self._consumer.close()
            self._consumer = Consumer(self._settings)
            return []

    def count(self) -> int:
        """Offsets used so far: for a topic without transactions, its records; -1 while the broker is away."""
        ends = self.offsets()
        return sum(end.offset for end in ends) if ends else -1

    def mark(self) -> bool:
        """Wait from here on for a new record; False while the broker is away."""
        ends = self.offsets()
        if ends:
            self._consumer.assign(ends)
        return bool(ends)

    def came(self) -> bool:
        """Whether a record has come since the mark (once: set a new mark then)."""
        message = self._consumer.poll(0.05)
        if message is None or message.error():
            return False
        self._consumer.unassign()
        return True

    def leaders(self) -> dict[int, int]:
        """The broker that leads each partition."""
        found = self._consumer.list_topics(self._topic, timeout=2).topics[self._topic]
        return {number: partition.leader for number, partition in found.partitions.items()}

    def close(self) -> None:
        self._consumer.close()

    def _end(self, partition: int) -> int:
        _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=2)
        return int(end)
