"""One run: a producer at a steady rate, the bridge, one partition, one post per second, and the cost."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import orjson
import psutil
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from running import RunningProducer, wait_until

from bench.bridge.cluster import Cluster
from bench.load.promises import Found
from bench.processes import cpu_seconds, memory_mib
from local_stack import processes
from producer.events.event_time import to_milliseconds

_WARM_SECONDS = 5.0  # the first events wait for the job and the compiler, which is start-up
_DRAIN_SECONDS = 60.0
_MARK = "load_post"
_PRODUCER = "producer"


class Carried(NamedTuple):
    """One record: event time and append time in milliseconds, whether it was posted, a hash of its text."""

    happened: int
    appended: int
    posted: bool
    content: int


@dataclass
class Watched:
    """The use of resources during a run.

    `stack_*`: the use of the stack's own processes, in percent of the machine, without the producer.
    `machine_*`: the use of all processes. Memory and lag are read once a second.
    """

    stack_cpu: float = 0.0
    stack_memory: list[float] = field(default_factory=list)
    machine_cpu: float = 0.0
    machine_memory: list[float] = field(default_factory=list)
    lag: list[int] = field(default_factory=list)
    cost: dict[str, tuple[float, float]] = field(default_factory=dict)  # percent of a core, MiB


def run(cluster: Cluster, rate: int, seconds: float) -> tuple[Found, Watched]:
    """Run the load and measure it. Raises AssertionError if a part does not start."""
    topics = cluster.topics(partitions=1, append_time=True)
    with ExitStack() as cleanup:
        cleanup.callback(cluster.remove, topics)
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        options = ("--rate", str(rate), "--hosts", "50", "--wait-for-clients", "1", "--http-port", "0")
        producer = RunningProducer(folder, *options)
        cleanup.callback(producer.stop)
        told = wait_until(lambda: re.search(r"on (http://127\.0\.0\.1:\d+)", producer.text()), "its API")
        job = cluster.submit(producer.port, topics)
        cleanup.callback(job.cancel)
        wait_until(lambda: cluster.records(topics[0], 1), "the first event arrives", 120)
        time.sleep(min(_WARM_SECONDS, seconds))
        begin = time.time()
        watched = _watch(cluster, producer, told[1], seconds)
        end = time.time()
        _ask(f"{told[1]}/stop", b"")
        made = int(_ask(f"{told[1]}/status")["events"])
        _drain(cluster, topics[0], made)
        values = list(_read(cluster, topics[0]))
    return found_in(rate, (int(begin * 1000), int(end * 1000)), made, values, watched), watched


def _watch(cluster: Cluster, producer: RunningProducer, api: str, seconds: float) -> Watched:
    watched = Watched()
    stack = {
        daemon.name: process
        for daemon in processes.recorded(cluster.running.stack)
        if (process := daemon.process())
    }
    parts = {_PRODUCER: psutil.Process(producer.process.pid), **stack}
    all_memory = psutil.virtual_memory().total / 2**20
    before, began = {name: cpu_seconds([each]) for name, each in parts.items()}, time.monotonic()
    psutil.cpu_percent()
    while (now := time.monotonic()) < began + seconds:
        _post(api)
        time.sleep(max(0.0, now + 1 - time.monotonic()))
        watched.stack_memory.append(memory_mib(list(stack.values())) / all_memory * 100)
        watched.machine_memory.append(psutil.virtual_memory().percent)
        watched.lag.append(_lag(api))
    took = time.monotonic() - began
    for name, each in parts.items():
        watched.cost[name] = ((cpu_seconds([each]) - before[name]) / took * 100, memory_mib([each]))
    watched.machine_cpu = psutil.cpu_percent()
    cores = sum(cpu for name, (cpu, _) in watched.cost.items() if name != _PRODUCER)
    watched.stack_cpu = cores / (psutil.cpu_count() or 1)
    return watched


def _post(api: str) -> None:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event = {"timestamp": now, "level": "Information", "source": "Application", "event_id": 1, _MARK: True}
    event |= {"computer": "LOAD.corp.example", "message": "posted by make load"}
    _ask(f"{api}/events", json.dumps(event).encode())


def _lag(api: str) -> int:
    with urlopen(f"{api}/metrics", timeout=60) as answer:  # noqa: S310 - our own producer
        lines = answer.read().decode().splitlines()
    return int(
        sum(float(each.split()[-1]) for each in lines if each.startswith("win_event_client_lag_events{"))
    )


def _ask(url: str, body: bytes | None = None) -> Any:
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own producer
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read() or b"{}")


def _drain(cluster: Cluster, topic: str, made: int) -> None:
    """Wait for the last events. Those that do not arrive in time are lost, and the verdict says so."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    while cluster.records(topic, 1) < made and time.monotonic() < deadline:
        time.sleep(0.2)


def _read(cluster: Cluster, topic: str) -> Iterator[Carried]:
    left = cluster.records(topic, 1)
    cluster.reader.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    while left:
        messages = cluster.reader.consume(min(left, 10_000), timeout=60)
        if not messages:
            raise RuntimeError(f"{left} records of {topic} cannot be read")
        for message in messages:
            event = orjson.loads(message.value())
            happened = to_milliseconds(event["timestamp"].encode()) or 0
            yield Carried(happened, message.timestamp()[1], _MARK in event, hash(message.value()))
        left -= len(messages)
    cluster.reader.unassign()


def found_in(
    rate: int, span: tuple[int, int], made: int, values: Sequence[Carried], watched: Watched
) -> Found:
    """The figures of a load. `span`: begin and end of the measurement, in milliseconds.

    An event that was on its way at the end counts in the latencies, although it was appended later.
    """
    first, last = span
    on_the_way = [each for each in values if each.happened < last and first <= each.appended]
    return Found(
        asked=rate,
        rate=sum(first <= each.appended < last for each in values) / (last - first) * 1000,
        lost=max(made - len({each.content for each in values}), 0),
        latencies=[each.appended - each.happened for each in on_the_way if not each.posted],
        posted=[each.appended - each.happened for each in on_the_way if each.posted],
        lag=max(watched.lag, default=0),
        cpu=watched.stack_cpu,
        memory=max(watched.stack_memory, default=0.0),
    )
