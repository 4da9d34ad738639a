"""Reads the current state of a cluster: topics with their offsets, consumer groups with their lag."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicMetadata

from kafka_setup.connection.session import only, that_exist
from kafka_setup.connection.settings import REQUEST_TIMEOUT


@dataclass(frozen=True)
class PartitionFacts:
    """The partition has the records from `start` (inclusive) to `end` (exclusive). `newest` is the highest
    record timestamp in seconds since the epoch; None in an empty partition."""

    partition: int
    start: int
    end: int
    newest: float | None
    replicas: int
    in_sync: int


@dataclass(frozen=True)
class TopicFacts:
    name: str
    partitions: tuple[PartitionFacts, ...]

    @property
    def records(self) -> int:
        """The number of retained offsets (transaction markers and compacted records count, too)."""
        return sum(part.end - part.start for part in self.partitions)

    @property
    def end(self) -> int:
        """The number of records ever written; it grows by exactly the number that producers add."""
        return sum(part.end for part in self.partitions)

    @property
    def newest(self) -> float | None:
        return max((part.newest for part in self.partitions if part.newest is not None), default=None)


@dataclass(frozen=True)
class GroupFacts:
    """A consumer group.

    `positions` and `lags` by (topic, partition); a partition without a commit is in neither.
    """

    name: str
    state: str
    members: int
    positions: dict[tuple[str, int], int]
    lags: dict[tuple[str, int], int]

    @property
    def lag(self) -> int:
        return sum(self.lags.values())


@dataclass(frozen=True)
class ClusterFacts:
    brokers: int
    topics: tuple[TopicFacts, ...]
    groups: tuple[GroupFacts, ...]


def read_facts(admin: AdminClient, timeout: float = REQUEST_TIMEOUT) -> ClusterFacts:
    """The facts that the logged-in user may see, without Kafka's internal topics. Raises KafkaException.

    It raises after `timeout` seconds without an answer to one of its requests.
    """
    metadata = admin.list_topics(timeout=timeout)
    described = {name: topic for name, topic in metadata.topics.items() if not name.startswith("__")}
    topics = _topics(admin, described, timeout)
    ends = {(topic.name, part.partition): part.end for topic in topics for part in topic.partitions}
    return ClusterFacts(len(metadata.brokers), topics, _groups(admin, ends, timeout))


def _topics(
    admin: AdminClient, described: dict[str, TopicMetadata], timeout: float
) -> tuple[TopicFacts, ...]:
    keys = [TopicPartition(name, part) for name, topic in described.items() for part in topic.partitions]
    starts = _offsets(admin, keys, OffsetSpec.earliest(), timeout)
    ends = _offsets(admin, keys, OffsetSpec.latest(), timeout)
    newest = _offsets(admin, keys, OffsetSpec.max_timestamp(), timeout)

    def partition(key: tuple[str, int]) -> PartitionFacts:
        topic, number = key
        meta = described[topic].partitions[number]
        timestamp = newest[key][1]
        seconds = timestamp / 1000 if timestamp >= 0 else None
        return PartitionFacts(
            number, starts[key][0], ends[key][0], seconds, len(meta.replicas), len(meta.isrs)
        )

    there = sorted(starts.keys() & ends.keys() & newest.keys())
    return tuple(
        TopicFacts(name, tuple(partition(key) for key in keys))
        for name, keys in groupby(there, key=itemgetter(0))
    )


def _offsets(
    admin: AdminClient, keys: list[TopicPartition], spec: OffsetSpec, timeout: float
) -> dict[tuple[str, int], tuple[int, int]]:
    """(offset, timestamp in ms) by (topic, partition), without topics that were deleted meanwhile."""
    if not keys:
        return {}
    answers = admin.list_offsets(dict.fromkeys(keys, spec), request_timeout=timeout)
    return {
        (key.topic, key.partition): (result.offset, result.timestamp)
        for key, result in that_exist(answers).items()
    }


def _groups(admin: AdminClient, ends: dict[tuple[str, int], int], timeout: float) -> tuple[GroupFacts, ...]:
    listed = admin.list_consumer_groups(request_timeout=timeout).result().valid
    names = sorted(group.group_id for group in listed)
    if not names:
        return ()
    described = that_exist(admin.describe_consumer_groups(names, request_timeout=timeout))
    asked = {name: _committed(admin, name, timeout) for name in described}
    return tuple(
        _group(name, described[name], offsets.topic_partitions, ends)
        for name, offsets in that_exist(asked).items()
    )


def _committed(admin: AdminClient, name: str, timeout: float) -> Future[ConsumerGroupTopicPartitions]:
    return only(
        admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)], request_timeout=timeout)
    )


def _group(
    name: str, group: object, committed: list[TopicPartition], ends: dict[tuple[str, int], int]
) -> GroupFacts:
    positions = {(part.topic, part.partition): part.offset for part in committed if part.offset >= 0}
    lags = {key: max(0, ends[key] - offset) for key, offset in positions.items() if key in ends}
    return GroupFacts(name, group.state.name, len(group.members), positions, lags)  # type: ignore[attr-defined]
