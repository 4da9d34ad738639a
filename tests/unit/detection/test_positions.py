"""The event time that is stored with the positions of win-event-detect."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from detection.correlation.clock import NEVER
from detection.topic.positions import Positions


class Group:
    """As much of a consumer as positions need; it has committed `mark` in both partitions."""

    def __init__(self, mark: str) -> None:
        self.metadata = {0: mark, 1: mark}

    def list_topics(self, topic: str, timeout: float) -> Any:
        found = SimpleNamespace(error=None, partitions=dict.fromkeys(self.metadata))
        return SimpleNamespace(topics={topic: found})

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [
            TopicPartition(each.topic, each.partition, 5, self.metadata[each.partition]) for each in places
        ]

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, 100

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        self.metadata |= {each.partition: each.metadata for each in offsets}


def test_an_event_time_stays_until_there_is_a_newer_one() -> None:
    """A partition that cannot be read yet leaves no watermark: a restart then reads back from the old one."""
    group = Group("17")
    consumer: Consumer = group  # type: ignore[assignment]
    positions = Positions(consumer, "events", "earliest")
    positions.next[0] = 6
    assert positions.commit(NEVER)
    assert group.metadata == {0: "17", 1: "17"}
    positions.next[1] = 7
    assert positions.commit(23)
    assert group.metadata == {0: "17", 1: "23"}
