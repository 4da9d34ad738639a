"""One pipeline under test: a producer with its ledger, a proxy, a bridge job, a pair of topics, an audit."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.arrivals import Arrivals
from faults.modes import Mode
from faults.namespace import Namespace
from faults.proxy import Proxy
from running import Job, RunningProducer, RunningStack, free_ports

from local_stack.broker import kafka_objects

CHECKPOINT_SECONDS = 2.0


@dataclass(frozen=True)
class Load:
    """What the producer makes from `seed`: `rate` events per second until the run has seen enough.

    `longest`: seconds after which it ends by itself; a run ends its load much earlier.
    """

    rate: int
    seed: int
    hosts: int = 8
    longest: float = 1200.0


def submit_all(pipelines: Sequence[Pipeline]) -> None:
    """Submit the jobs of all pipelines at once."""
    jobs = [pipeline.running.submit_shared(*pipeline.options()) for pipeline in pipelines]
    for pipeline, job in zip(pipelines, jobs, strict=True):
        pipeline.job = job
    printed = re.findall(r"at most the lines of ([\d.]+) s", "".join(job.submission for job in jobs))
    for pipeline, seconds in zip([each for each in pipelines if not each.mode.resumes], printed, strict=True):
        pipeline.bound_seconds = float(seconds)


class Pipeline:
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
        self.bound_seconds = 0.0  # of a restart of the socket source, as the job printed it
        self.arrivals = self._arrivals(topics[0])

    def start_producer(self) -> None:
        """The load begins when the bridge is connected."""
        most = int(self.load.rate * self.load.longest)
        options = ["--rate", str(self.load.rate), "--count", str(most), "--wait-for-clients", "1"]
        options += ["--seed", str(self.load.seed), "--hosts", str(self.load.hosts)]
        options += ["--ledger", str(self.ledger), *self.mode.producer, *self.producer_options]
        if self.namespace:
            options += ["--host", self.namespace.address]
        prefix = self.namespace.prefix if self.namespace else ()
        self.producer = RunningProducer(
            self.folder, *options, port=self.producer_port, env=self.producer_environment, prefix=prefix
        )

    def start_proxy(self) -> None:
        self.proxy = Proxy(self.producer_port)

    def options(self) -> list[str]:
        """The options of the job."""
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

    def rejected(self) -> int:
        """Offsets used in the topic of the rejected lines."""
        with closing(self._arrivals(self.topics[1])) as rejected:
            return rejected.count()

    def _arrivals(self, topic: str) -> Arrivals:
        login = kafka_objects.connection(self.running.stack, "reader").client_settings()
        return Arrivals(login, topic, committed="--read-committed" in self.mode.audit)

    def produced(self) -> int:
        """Events in the ledger so far."""
        lines = self.ledger.read_bytes().split(b"\n")[1:-1]  # without the header and a torn last line
        blocks = [json.loads(line) for line in lines]
        return sum(block["last"] - block["first"] + 1 for block in blocks if "last" in block)

    def end_load(self) -> None:
        """Stop making events; the producer continues to serve the events that it has made."""
        self.producer.process.send_signal(signal.SIGUSR1)

    def has_made_all(self) -> bool:
        return "made all" in self.producer.text()

    def audit(self) -> dict[str, Any]:
        """win-event-verify's report against the ledger."""
        options = ("--ledger", str(self.ledger), "--rejected-topic", self.topics[1], "--complete")
        return dict(self.running.verify(self.topics[0], *options, *self.mode.audit))

    def audit_by_seed(self) -> dict[str, Any]:
        """The report against the events of the seed, for a ledger that a kill has cut short."""
        load = self.load
        count = self.produced() + 10 * load.rate
        judge = ("--seed", str(load.seed), "--count", str(count), "--hosts", str(load.hosts))
        rejected = ("--rejected-topic", self.topics[1])
        return dict(self.running.verify(self.topics[0], *judge, *rejected, *self.mode.audit))

    def stop(self) -> None:
        """Stop each part, also if another one failed; the last error is raised."""
        with ExitStack() as parts:
            parts.callback(self.arrivals.close)
            if self.namespace:
                parts.callback(self.namespace.remove)
            if hasattr(self, "producer") and self.producer.process.poll() is None:
                parts.callback(self.producer.stop, signal.SIGKILL)
            if hasattr(self, "proxy"):
                parts.callback(self.proxy.close)
            if hasattr(self, "job"):
                self.job.cancel()
