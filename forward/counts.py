"""Counts of forwarded records, as Prometheus metrics and as the last line of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forward.records import Record


@dataclass
class Counts:
    """The counts of a run.

    `retries` by the error code of Kinesis, `rejected` by reason, `lag` by partition (a second old).
    """

    records: int = 0
    size: int = 0
    requests: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    lag: dict[int, int] = field(default_factory=dict)
    kafka_up: bool = True
    kafka_lost: int = 0  # how often Kafka went away
    deleted: int = 0  # records that retention deleted before they were read

    def accept(self, record: Record) -> None:
        self.records += 1
        self.size += record.size

    def reject(self, reason: str) -> bool:
        """Count a rejected record; returns whether it is the first with this reason."""
        self.rejected[reason] += 1
        return self.rejected[reason] == 1

    def text(self, topic: str, stream: str) -> str:
        """One line for people and logs."""
        rejected = "".join(f", {n:,} {reason}" for reason, n in sorted(self.rejected.items()))
        retries = sum(self.retries.values())
        return (
            f"forwarded {self.records:,} records ({self.size:,} bytes) of topic {topic} to stream {stream} "
            f"in {self.requests:,} requests; {retries:,} retries; "
            f"{self.rejected.total():,} rejected{rejected}"
        )


class ForwardMetrics(Collector):
    """Reads the counts for a scrape, in a thread that never uses the consumer."""

    def __init__(self, counts: Counts, held: Callable[[], int]) -> None:
        self._counts, self._held = counts, held
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        yield _counter("records", "Records in the stream.", counts.records)
        yield _counter("bytes", "Bytes of values and keys in the stream.", counts.size)
        yield _counter("requests", "PutRecords requests.", counts.requests)
        yield _by("retries", "Records that were refused and sent again.", "code", counts.retries)
        yield _by("rejected", "Records that Kinesis never accepts.", "reason", counts.rejected)
        yield _counter("deleted", "Records that were deleted before they were read.", counts.deleted)
        yield _counter("kafka_lost", "How often the connection to all brokers was lost.", counts.kafka_lost)
        yield GaugeMetricFamily(
            "win_event_forward_kafka_up", "1 while a broker answers.", value=counts.kafka_up
        )
        yield GaugeMetricFamily(
            "win_event_forward_held", "Records read and not sent yet.", value=self._held()
        )
        lag = GaugeMetricFamily(
            "win_event_forward_lag", "Records that are not in the stream yet.", labels=("partition",)
        )
        for partition, behind in sorted(counts.lag.items()):
            lag.add_metric((str(partition),), behind)
        yield lag


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"win_event_forward_{name}", text, value=value)


def _by(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"win_event_forward_{name}", text, labels=(label,))
    for each, count in sorted(values.items()):
        family.add_metric((each,), count)
    return family
