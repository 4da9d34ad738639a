"""The broker and the Flink cluster that all bridge benchmarks share, and how fast records get there."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from running import Job, RunningStack, free_ports, wait_until

from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib
from kafka_setup.changes.apply import ApplySettings, apply
from kafka_setup.defaults import EVENTS_TOPIC, REJECTED_TOPIC
from kafka_setup.topology.file import default_topology_text, parse_topology
from local_stack import processes
from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER

_WARM = 0.2  # the clock starts after this share of the records: start-up is not throughput


class Cluster:
    """Fresh topics for every run; `under_test` are the processes whose cost counts."""

    def __init__(self, running: RunningStack, numbers: Iterator[int] | None = None) -> None:
        """`numbers` make the names of its topics different from those of other benchmarks on this stack."""
        self.running = running
        self._numbers = numbers or itertools.count(1)
        login = kafka_objects.connection(running.stack, "reader").client_settings()
        self.reader = Consumer({**login, "group.id": "win-event-bench", "isolation.level": "read_committed"})

    def topics(self, partitions: int = 3, append_time: bool = False) -> tuple[str, str]:
        """A new pair of topics that the bridge may write; timestamps by the broker's clock if asked."""
        number = next(self._numbers)
        text = default_topology_text().replace("partitions: 3", f"partitions: {partitions}", 1)
        if append_time:
            text = text.replace("config:", "config:\n      message.timestamp.type: LogAppendTime", 1)
        names = [f"{topic}_{number}" for topic in (EVENTS_TOPIC, REJECTED_TOPIC)]
        for name in names:
            text = text.replace(name.rpartition("_")[0], name)
        topology = parse_topology(text)
        known = {user.name: kafka_objects.password(self.running.stack, user.name) for user in topology.users}
        login = kafka_objects.connection(self.running.stack, SUPER_USER)
        failed = [row for row in apply(ApplySettings(topology, login, known)) if row.failed]
        if failed:
            raise RuntimeError(f"topics: {failed}")
        return names[0], names[1]

    @contextmanager
    def fresh_topics(self, partitions: int = 3) -> Iterator[tuple[str, str]]:
        """Like `topics`, but for one run only: gigabytes per run would fill the disk."""
        names = self.topics(partitions)
        try:
            yield names
        finally:
            self.remove(names)

    def remove(self, topics: Iterable[str]) -> None:
        """Remove topics and their permissions."""
        admin = AdminClient(kafka_objects.connection(self.running.stack, SUPER_USER).client_settings())
        names = list(topics)
        every = [
            AclBindingFilter(
                ResourceType.TOPIC, name, ResourcePatternType.LITERAL, None, None,
                AclOperation.ANY, AclPermissionType.ANY,
            )
            for name in names
        ]  # fmt: skip
        for future in (*admin.delete_topics(names).values(), *admin.delete_acls(every).values()):
            future.result()

    def taskmanager(self) -> psutil.Process:
        daemon = processes.running(self.running.stack, "taskmanager-1")
        if daemon is None:
            raise RuntimeError("the TaskManager does not run")
        return psutil.Process(daemon.pid)

    def records(self, topic: str, partitions: int = 3) -> int:
        """The number of records for a read_committed reader."""
        ends = [TopicPartition(topic, number) for number in range(partitions)]
        return sum(self.reader.get_watermark_offsets(end, timeout=60)[1] for end in ends)

    def carried(
        self, topic: str, count: int, under_test: Callable[[], Sequence[psutil.Process]], partitions: int = 3
    ) -> Sample:
        """Records per second from the first fifth of `count` to the last, and their cost.

        `under_test` raises if a program has died.
        """
        wait_until(
            lambda: under_test() and self.records(topic, partitions) > count * _WARM, "records arrive", 120
        )
        tested = under_test()
        first, begin, cpu = self.records(topic, partitions), time.monotonic(), cpu_seconds(tested)
        peak, now = memory_mib(tested), first
        if first >= count:
            raise RuntimeError(f"{first} of {count} records came at once: nothing is left to time")
        while (now := self.records(topic, partitions)) < count:
            peak = max(peak, memory_mib(tested))
            if time.monotonic() - begin > 300:
                raise RuntimeError(f"{now} of {count} records after 300 s")
            time.sleep(0.02)
        seconds = time.monotonic() - begin
        return Sample((now - first) / seconds, now - first, cpu_seconds(tested) - cpu, peak)

    def submit(self, port: int, topics: tuple[str, str], *options: str) -> Job:
        endpoint = ("--hostname", "127.0.0.1", "--port", str(port))
        return self.running.submit(*endpoint, *self.sink(topics), *options)

    @staticmethod
    def sink(topics: tuple[str, str]) -> tuple[str, ...]:
        return ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1])


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start the stack on free ports; stop it at the end."""
    names = ("--kafka-port", "--controller-port", "--flink-port", "--jobmanager-port")
    with tempfile.TemporaryDirectory(prefix="win-event-bench-", ignore_cleanup_errors=True) as folder:
        running = RunningStack.at(Path(folder))
        try:
            ports = free_ports(len(names))
            running.up(*[word for name, port in zip(names, ports, strict=True) for word in (name, str(port))])
            shared = Cluster(running)
            yield shared
            shared.reader.close()  # otherwise it would report the end of the broker
        finally:
            running.down()
