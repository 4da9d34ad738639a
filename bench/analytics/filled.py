"""A topic full of events, and the last rows of a topic of answers."""

from __future__ import annotations

import json
import time
from functools import cached_property
from itertools import islice
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from running import wait_until

from analytics.answers import primary_key
from bench.bridge.cluster import Cluster
from local_stack.broker import kafka_objects
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

Rows = dict[tuple[Any, ...], dict[str, Any]]
_HOSTS = 50
START = (int(time.time()) - 86_400) // 300 * 300_000  # milliseconds: yesterday, where a window begins


class FilledTopic:
    """Generated events of about 1.2 KB in three partitions, by computer; `rate` of them per second.

    Their times are also those of the records.
    """

    def __init__(self, cluster: Cluster, count: int, rate: float = 800.0) -> None:
        self.cluster, self.count, self._rate = cluster, count, rate
        self._events = enumerate(generate(_settings(rate)))

    @cached_property
    def name(self) -> str:
        """The topic, with `count` events in it."""
        self._name, _ = self.cluster.topics(3)
        self.send(self.count)
        return self._name

    def send(self, count: int) -> None:
        """Send `count` more events, as fast as Kafka accepts them."""
        producer = producer_of(self.cluster)
        for number, event in islice(self._events, count):
            ms = START + int(number / self._rate * 1000)
            append(producer, self._name, event.line.rstrip(b"\n"), event.computer, ms)
        if producer.flush(120):
            raise RuntimeError("the topic could not be filled")


def _settings(rate: float) -> GeneratorSettings:
    return GeneratorSettings(seed=1, hosts=_HOSTS, host_rate=rate / _HOSTS)


def some_events(count: int) -> list[tuple[str, bytes]]:
    """Yields the computer and the line of each event."""
    events = islice(generate(_settings(800.0)), count)
    return [(event.computer, event.line.rstrip(b"\n")) for event in events]


def producer_of(cluster: Cluster) -> Producer:
    login = kafka_objects.connection(cluster.running.stack, "bridge").client_settings()
    fast = {"compression.type": "lz4", "linger.ms": 20, "queue.buffering.max.messages": 200_000}
    return Producer({**login, **fast})


def append(producer: Producer, topic: str, line: bytes, computer: str, ms: int) -> None:
    """Append an event; waits while the producer's memory is full."""
    while True:
        try:
            producer.produce(topic, line, computer, timestamp=ms)
            return
        except BufferError:
            producer.poll(0.1)


def end_of(cluster: Cluster, topic: str) -> int:
    return int(cluster.reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=60)[1])


def rows_from(cluster: Cluster, topic: str, first: int) -> Rows:
    """The last row of every key in a topic with one partition, from offset `first` on."""
    login = kafka_objects.connection(cluster.running.stack, "reader").client_settings()
    reader = Consumer({**login, "group.id": "win-event-bench"})
    found: Rows = {}
    try:
        reader.assign([TopicPartition(topic, 0, first)])
        last, next_ = end_of(cluster, topic), first

        def complete() -> bool:
            nonlocal next_
            for message in reader.consume(10_000, timeout=0.5):
                row, next_ = json.loads(message.value()), message.offset() + 1
                found[tuple(row[name] for name in primary_key(topic))] = row
            return next_ >= last

        wait_until(complete, "the answer is read", 60)
    finally:
        reader.close()
    return found
