"""From the producer's clock to Kafka's append, at steady rates."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from running import RunningProducer, wait_until

from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.percentiles import Percentiles
from producer.events.event_time import to_milliseconds

PERCENTILES = (50.0, 99.0, 99.9)
_WARM_SECONDS = 4.0  # the first events wait for the job and the compiler, which is start-up
_SOURCES: dict[str, tuple[str, ...]] = {"socket": ("--source", "socket"), "auto": ()}


class _Run:
    """A producer at a steady rate, and the bridge."""

    def __init__(self, cluster: Cluster, rate: int, seconds: float, options: Sequence[str]) -> None:
        self._cluster, self._rate, self._seconds, self._options = cluster, rate, seconds, options

    def latencies(self) -> list[int]:
        topics = self._cluster.topics(append_time=True)
        count = int(self._rate * (_WARM_SECONDS + self._seconds))
        options = (
            "--rate",
            str(self._rate),
            "--count",
            str(count),
            "--wait-for-clients",
            "1",
            "--hosts",
            "50",
        )
        with ExitStack() as cleanup:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            producer = RunningProducer(folder, *options)
            cleanup.callback(producer.stop)
            job = self._cluster.submit(producer.port, topics, *self._options)
            cleanup.callback(job.cancel)
            wait_until(lambda: self._cluster.records(topics[0]) >= count, f"all {count} records", 180)
            found = _read(self._cluster, topics[0], count)
        begin = min(happened for happened, _ in found) + _WARM_SECONDS * 1000
        return [appended - happened for happened, appended in found if happened >= begin]


def sections(quick: bool, cluster: Cluster) -> list[Section]:
    rates = (10_000,) if quick else (1_000, 10_000, 50_000)
    cases = []
    for rate in rates:
        for source, options in list(_SOURCES.items())[-1 if quick else 0 :]:
            run = Percentiles(_Run(cluster, rate, 2.0 if quick else 10.0, options).latencies, PERCENTILES)
            cases += [Case(f"{source} p{p:g} @ {rate}", partial(run.sample, p), x=rate) for p in PERCENTILES]
    note = (
        "The time from the event's own time to the broker's append time, in whole milliseconds; both "
        f"clocks are the machine's. The first {_WARM_SECONDS:.0f} s of each run do not count. "
        "Kafka's linger is 20 ms."
    )
    return [Section("latency", "Latency", "ms", cases, note=note, axis="events/s")]


def _read(cluster: Cluster, topic: str, count: int) -> list[tuple[int, int]]:
    """Event time and append time of every record, in milliseconds."""
    reader: Consumer = cluster.reader
    reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(3)])
    found: list[tuple[int, int]] = []
    deadline = time.monotonic() + 120
    while len(found) < count and time.monotonic() < deadline:
        for message in reader.consume(10_000, timeout=1):
            happened = to_milliseconds(orjson.loads(message.value())["timestamp"].encode())
            if happened is not None:
                found.append((happened, message.timestamp()[1]))
    reader.unassign()
    return found
