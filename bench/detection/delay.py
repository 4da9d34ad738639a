"""The delay of an alert over Kafka at a steady rate, by driver."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path

import orjson
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition
from running import repeated, wait_until

from bench.bridge.cluster import Cluster
from bench.detection.detecting import RULES
from bench.detection.drivers import FLINK, PROCESS, submitted
from bench.harness import Case, Section
from bench.measurement import require_rate
from bench.percentiles import Percentiles
from bench.processes import BIN
from bench.reading.events import events
from kafka_setup.defaults import ALERTS_TOPIC
from local_stack.broker import kafka_objects
from producer.events.event_time import TICKS, read_ticks, to_text

RATE = 10_000  # events per second
PERCENTILES = (50.0, 99.0)
_STEP = 0.01  # seconds between two bunches of the feeder
_TIME = slice(14, 42)  # of a line of the flat shape
_QUIET = subprocess.DEVNULL
_SURE = (
    "title: A failed logon\nid: 6d1c2f3e-0000-4000-8000-000000000001\nlevel: low\n"
    "logsource: {product: windows, service: security}\n"
    "detection:\n  selection: {EventID: 4625}\n  condition: selection\n"
)


def section(quick: bool, cluster: Cluster, file: Path) -> Section:
    seconds = 5.0 if quick else 30.0
    delays = {
        driver: Percentiles(_Delays(cluster, file, driver, seconds).measured, PERCENTILES)
        for driver in (PROCESS, FLINK)
    }
    cases = [
        Case(f"{driver} p{percent:g}", partial(run.sample, percent))
        for driver, run in delays.items()
        for percent in PERCENTILES
    ]
    note = (
        "The time from the event's own time, which is set when Kafka's client gets the event, until a "
        f"reader of the topic of alerts has the alert. There are {RULES} rules, and one for failed logons, "
        "which are one event in 60."
    )
    return Section("detection delay", f"Delay of an alert at {RATE:,} events/s", "ms", cases, note=note)


class _Delays:
    """Events at a steady rate, and one driver of detection."""

    def __init__(self, cluster: Cluster, file: Path, driver: str, seconds: float) -> None:
        self._cluster, self.driver, self._seconds = cluster, driver, seconds
        self._file = file.with_name("with-a-sure-one.yml")
        self._file.write_text(f"{file.read_text(encoding='utf-8')}---\n{_SURE}", encoding="utf-8")

    def measured(self) -> list[float]:
        topic, _ = self._cluster.topics(3)
        with ExitStack() as cleanup:
            alerts = cleanup.enter_context(_arriving(self._cluster))
            cleanup.enter_context(self._driver(topic))
            cleanup.enter_context(_fed(self._cluster, topic))
            wait_until(lambda: bool(alerts), "the first alert", 120)
            time.sleep(5)  # what came before the driver was up, and its first batches, do not count
            begin = _now()
            time.sleep(self._seconds)
            end = _now()
            wait_until(lambda: alerts[-1][0] > end, "the alerts of the last event", 60)
        return [(seen - happened) * 1000 / TICKS for happened, seen in alerts if begin <= happened <= end]

    @contextmanager
    def _driver(self, topic: str) -> Iterator[None]:
        if self.driver == FLINK:
            job = submitted(self._cluster, topic, self._file)
            try:
                yield
            finally:
                job.cancel()
            return
        command = [str(BIN / "win-event-detect"), "--rules", str(self._file), "--topic", topic]
        process = subprocess.Popen(
            [*command, "--group", f"win-event-detection-{topic}"],
            env=self._cluster.running.shell("detection"), stdout=_QUIET, stderr=_QUIET,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def _arriving(cluster: Cluster) -> Iterator[list[tuple[int, int]]]:
    """(time in the event, time of arrival) of each alert, in ticks, as they come."""
    login = kafka_objects.connection(cluster.running.stack, "reader").client_settings()
    reader = Consumer({**login, "group.id": "win-event-bench", "fetch.wait.max.ms": 10})
    numbers = list(reader.list_topics(ALERTS_TOPIC, timeout=60).topics[ALERTS_TOPIC].partitions)
    reader.assign([TopicPartition(ALERTS_TOPIC, number, OFFSET_END) for number in numbers])
    found: list[tuple[int, int]] = []

    def look() -> None:
        for message in reader.consume(500, timeout=0.005):
            alert = orjson.loads(message.value() or b"{}")
            if alert.get("title") == "A failed logon" and (happened := read_ticks(alert["first"])):
                found.append((happened, _now()))

    with repeated(look, 0.0):
        yield found
    reader.close()


@contextmanager
def _fed(cluster: Cluster, topic: str) -> Iterator[None]:
    """RATE events per second with the time of now, without an end."""
    login = kafka_objects.connection(cluster.running.stack, "bridge").client_settings()
    producer = Producer({**login, "compression.type": "lz4", "linger.ms": 5})
    lines = cycle(events(50_000).splitlines())
    begin, sent = time.monotonic(), 0

    def step() -> None:
        nonlocal sent
        due, ticks = int((time.monotonic() - begin) * RATE), _now()
        moment = to_text(ticks).encode()
        for _ in range(due - sent):
            line = next(lines)
            producer.produce(
                topic, line[: _TIME.start] + moment + line[_TIME.stop :], timestamp=ticks // 10_000
            )
        sent = due
        producer.poll(0)

    with repeated(step, _STEP):
        yield
    require_rate(sent, time.monotonic() - begin, RATE)
    producer.flush(60)


def _now() -> int:
    return time.time_ns() // 100
