"""The delay from an event's append to the answer that it completes, without the chosen lateness."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from asking import ask
from confluent_kafka import Consumer, TopicPartition
from running import wait_until

from bench.analytics.asking import without_failure
from bench.analytics.filled import append, end_of, producer_of, some_events
from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.measurement import require_rate
from bench.percentiles import Percentiles
from local_stack.broker import kafka_objects

RATE = 10_000
LATENESS = 1.0
_QUESTIONS = ("level_windows", "--set", "width=1")
_TOPIC = "events_by_level_5m"
_WARM = 8.0  # the first answers wait for the compiler


class _Run:
    """A producer at a steady rate, and a question."""

    def __init__(self, cluster: Cluster, seconds: float) -> None:
        self._cluster, self._seconds = cluster, seconds

    def delays(self) -> list[float]:
        topic, _ = self._cluster.topics(3)
        words = ("--kafka-topic", topic, "--max-lateness", str(LATENESS))
        job = ask(self._cluster.running, *_QUESTIONS, *words)
        over = threading.Event()
        try:
            runs = partial(without_failure, job, job.tasks_running)
            wait_until(runs, "the job runs", 90)
            first = end_of(self._cluster, _TOPIC)
            with ThreadPoolExecutor(1) as threads:
                sent = threads.submit(self._send, topic, over)
                try:
                    return self._arrivals(first)
                finally:
                    over.set()
                    sent.result()
        finally:
            job.cancel()

    def _send(self, topic: str, over: threading.Event) -> None:
        """RATE events per second, each with the time of its append, to every partition."""
        producer, events = producer_of(self._cluster), some_events(50_000)
        begin, sent = time.monotonic(), 0
        while not over.is_set():
            while sent < (time.monotonic() - begin) * RATE and not over.is_set():
                computer, line = events[sent % len(events)]
                append(producer, topic, line, computer, int(time.time() * 1000))
                sent += 1
            producer.poll(0.01)
        require_rate(sent, time.monotonic() - begin, RATE)
        producer.flush(60)

    def _arrivals(self, first: int) -> list[float]:
        """For each row: milliseconds from the end of its window plus LATENESS until a reader has it."""
        login = kafka_objects.connection(self._cluster.running.stack, "reader").client_settings()
        reader = Consumer({**login, "group.id": "win-event-bench"})
        reader.assign([TopicPartition(_TOPIC, 0, first)])
        begin, delays, windows = time.time(), list[float](), set[float]()
        while (now := time.time()) < begin + _WARM + self._seconds:
            for message in reader.consume(1_000, timeout=0.01):
                if now > begin + _WARM:
                    end = _end(json.loads(message.value()))
                    windows.add(end)
                    delays.append((time.time() - LATENESS - end) * 1000)
        reader.close()
        if len(windows) < self._seconds - 2:
            raise RuntimeError(f"only {len(windows)} windows of {self._seconds:.0f} s had an answer")
        return delays


def _end(row: dict[str, Any]) -> float:
    return datetime.fromisoformat(row["window_end"].replace("Z", "+00:00")).timestamp()


def section(quick: bool, cluster: Cluster) -> Section:
    run = Percentiles(_Run(cluster, 5.0 if quick else 30.0).delays, (50, 99))
    cases = [
        Case(f"level_windows of 1 s, p{p} @ {RATE:,} events/s", partial(run.sample, p)) for p in (50, 99)
    ]
    note = (
        "The time from the end of a window, plus the requested lateness, until a reader has the row. Events "
        f"are appended at a steady rate, with the time of their append; --max-lateness {LATENESS:g}."
    )
    return Section("questions latency", "From the last event to the answer", "ms", cases, note=note)
