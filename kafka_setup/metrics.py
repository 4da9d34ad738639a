"""Topics and consumer groups as Prometheus metrics.

The kafka_* names and labels are those of the widely used kafka_exporter, so its dashboards can be used. The
broker's own measurements (requests, memory) come from its JMX exporter instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kafka_setup.cluster_facts import ClusterFacts, GroupFacts, TopicFacts

_PARTITION = ("topic", "partition")
_GROUP_PARTITION = ("consumergroup", "topic", "partition")


class KafkaCollector(Collector):
    """Reads the cluster at every scrape; a failed read fails the scrape, which Prometheus shows as `up` 0.

    `roles`: the purpose of each topic, by its name, so that alerts do not need names of topics.
    """

    def __init__(self, read: Callable[[], ClusterFacts], roles: Mapping[str, str]) -> None:
        self._read, self._roles = read, roles
        self._lock = Lock()

    def describe(self) -> Iterable[Metric]:
        return []  # registration must work without the broker

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            facts = self._read()
        return [*as_metrics(facts), _role_metric(self._roles)]


def registry(read: Callable[[], ClusterFacts], roles: Mapping[str, str]) -> CollectorRegistry:
    metrics = CollectorRegistry()
    metrics.register(KafkaCollector(read, roles))
    ProcessCollector(registry=metrics)
    return metrics


def _role_metric(roles: Mapping[str, str]) -> Metric:
    family = GaugeMetricFamily(
        "win_event_topic_role", "1 for each role that the topology gives a topic.", labels=("topic", "role")
    )
    for topic, role in roles.items():
        family.add_metric((topic, role), 1)
    return family


def as_metrics(facts: ClusterFacts) -> Iterator[Metric]:
    yield GaugeMetricFamily("kafka_brokers", "Brokers in the cluster.", value=facts.brokers)
    yield from _topic_metrics(facts.topics)
    yield from _group_metrics(facts.groups)


def _topic_metrics(topics: tuple[TopicFacts, ...]) -> Iterator[Metric]:
    end = GaugeMetricFamily("kafka_topic_partition_current_offset", "Log end offset.", labels=_PARTITION)
    start = GaugeMetricFamily("kafka_topic_partition_oldest_offset", "Log start offset.", labels=_PARTITION)
    lacking = GaugeMetricFamily(
        "kafka_topic_partition_under_replicated_partition",
        "1 when a replica is not in sync.",
        labels=_PARTITION,
    )
    newest = GaugeMetricFamily(
        "kafka_topic_partition_newest_timestamp_seconds",
        "Highest record timestamp; with the bridge's --event-timestamps the newest event's own time.",
        labels=_PARTITION,
    )
    for topic in topics:
        for part in topic.partitions:
            labels = (topic.name, str(part.partition))
            end.add_metric(labels, part.end)
            start.add_metric(labels, part.start)
            lacking.add_metric(labels, part.in_sync < part.replicas)
            if part.newest is not None:
                newest.add_metric(labels, part.newest)
    yield from (end, start, lacking, newest)


def _group_metrics(groups: tuple[GroupFacts, ...]) -> Iterator[Metric]:
    members = GaugeMetricFamily("kafka_consumergroup_members", "Active members.", labels=["consumergroup"])
    position = GaugeMetricFamily(
        "kafka_consumergroup_current_offset", "Committed offset.", labels=_GROUP_PARTITION
    )
    lag = GaugeMetricFamily("kafka_consumergroup_lag", "Records not yet read.", labels=_GROUP_PARTITION)
    for group in groups:
        members.add_metric((group.name,), group.members)
        for (topic, partition), offset in group.positions.items():
            position.add_metric((group.name, topic, str(partition)), offset)
        for (topic, partition), behind in group.lags.items():
            lag.add_metric((group.name, topic, str(partition)), behind)
    yield from (members, position, lag)
