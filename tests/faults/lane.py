"""One pipeline under test: a producer with its ledger, a proxy, a bridge job, a pair of topics, an audit."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from faults.modes import Mode
from faults.namespace import Namespace
from faults.proxy import Proxy
from running import Job, RunningProducer, RunningStack, free_ports

from local_stack import kafka_objects

CHECKPOINT_SECONDS = 2.0


@dataclass(frozen=True)
class Load:
    """What the producer makes: `rate` events a second for `seconds`, from `seed`."""

    rate: int
    seconds: float
    seed: int
    hosts: int = 8

    @property
    def count(self) -> int:
        return int(self.rate * self.seconds)


def submit_all(lanes: Sequence[Lane]) -> None:
    """Submit the jobs of all lanes at once."""
    running = lanes[0].running
    program = str(Path(__file__).with_name("submit_lanes.py"))
    options = json.dumps([lane.options() for lane in lanes])
    result = running.flink_run(options, program=program)
    found = re.findall(r"JobID ([0-9a-f]{32})", result.stdout)
    assert len(found) == len(lanes), result.stdout + result.stderr
    for lane, job_id in zip(lanes, found, strict=True):
        lane.job = Job(running, job_id)


class Lane:
    """Started step by step by the run; `job` and `producer` are replaced when a fault needs new ones."""

    def __init__(
        self, running: RunningStack, mode: Mode, folder: Path, topics: tuple[str, str], load: Load
    ) -> None:
        self.running, self.mode, self.folder, self.topics, self.load = running, mode, folder, topics, load
        folder.mkdir(parents=True)
        self.ledger = folder / "ledger.ndjson"
        self.producer_port = free_ports(1)[0]
        self.producer_options: tuple[str, ...] = ()
        self.producer_environment: dict[str, str] = {}
        self.namespace: Namespace | None = None
        self.job_options: tuple[str, ...] = ()
        self.producer: RunningProducer
        self.proxy: Proxy
        self.job: Job
        self._offsets = self._consumer()

    def start_producer(self, *more: str) -> None:
        """The load begins when the bridge is connected."""
        options = ["--rate", str(self.load.rate), "--count", str(self.load.count), "--wait-for-clients", "1"]
        options += ["--seed", str(self.load.seed), "--hosts", str(self.load.hosts)]
        options += ["--ledger", str(self.ledger), *self.mode.producer, *self.producer_options, *more]
        if self.namespace:
            options += ["--host", self.namespace.address]
        prefix = self.namespace.prefix if self.namespace else ()
        self.producer = RunningProducer(
            self.folder, *options, port=self.producer_port, env=self.producer_environment, prefix=prefix
        )

    def start_proxy(self) -> None:
        self.proxy = Proxy(self.producer_port)

    def options(self) -> list[str]:
        """The job's."""
        options = ["--hostname", "127.0.0.1", "--port", str(self.proxy.port)]
        if self.namespace:  # nothing may stand between the job and a cable that can be pulled
            options = ["--hostname", self.namespace.address, "--port", str(self.producer_port)]
        options += ["--kafka-topic", self.topics[0], "--kafka-rejected-topic", self.topics[1]]
        return [
            *options, "--checkpoint-interval", str(CHECKPOINT_SECONDS), *self.mode.job, *self.job_options,
        ]  # fmt: skip

    def submit(self, *flink_options: str) -> None:
        """Submit the job alone; `flink_options` belong to `flink run` itself."""
        self.job = self.running.submit(*self.options(), flink_options=flink_options)

    def records(self) -> int:
        """How many records a reader of this mode finds in the topic; -1 while the broker is away."""
        try:
            ends = [self._end(number) for number in range(3)]
        except KafkaException:
            return -1
        return sum(ends)

    def leaders(self) -> dict[int, int]:
        """The broker that leads each partition of the topic."""
        found = self._offsets.list_topics(self.topics[0], timeout=10).topics[self.topics[0]]
        return {number: partition.leader for number, partition in found.partitions.items()}

    def _end(self, partition: int) -> int:
        _, end = self._offsets.get_watermark_offsets(TopicPartition(self.topics[0], partition), timeout=2)
        return int(end)

    def _consumer(self) -> Consumer:
        committed = "--read-committed" in self.mode.audit
        login = kafka_objects.connection(self.running.stack, "reader").client_settings()
        isolation = "read_committed" if committed else "read_uncommitted"
        quiet = {"log_level": 0, "socket.timeout.ms": 3000, "reconnect.backoff.max.ms": 500}
        return Consumer({**login, **quiet, "group.id": "win-event-faults", "isolation.level": isolation})

    def produced(self) -> int:
        """Events in the ledger so far."""
        lines = self.ledger.read_bytes().split(b"\n")[1:-1]  # without the header and a torn last line
        blocks = [json.loads(line) for line in lines]
        return sum(block["last"] - block["first"] + 1 for block in blocks)

    def has_made_all(self) -> bool:
        return "made all" in self.producer.text()

    def audit(self) -> dict[str, Any]:
        """win-event-verify's report against the ledger."""
        options = ("--ledger", str(self.ledger), "--rejected-topic", self.topics[1], "--complete")
        return dict(self.running.verify(self.topics[0], *options, *self.mode.audit))

    def audit_by_seed(self) -> dict[str, Any]:
        """The same against the events of the seed, for a ledger that a kill has cut short."""
        load = self.load
        judge = ("--seed", str(load.seed), "--count", str(load.count), "--hosts", str(load.hosts))
        rejected = ("--rejected-topic", self.topics[1])
        return dict(self.running.verify(self.topics[0], *judge, *rejected, *self.mode.audit))

    def stop(self) -> None:
        if hasattr(self, "job"):
            self.job.cancel()
        if hasattr(self, "proxy"):
            self.proxy.close()
        if hasattr(self, "producer") and self.producer.process.poll() is None:
            self.producer.stop(signal.SIGKILL)
        if self.namespace:
            self.namespace.remove()
        self._offsets.close()
