"""Each question, and all in one job, over a filled topic; a figure counts only when the answer is right."""

from __future__ import annotations

import json
import sys
import time
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from running import Job, wait_until

from analytics.answers import primary_key
from bench import processes
from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib
from local_stack.broker import kafka_objects
from local_stack.layout import REPOSITORY
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

HERE = Path(__file__).resolve().parent
JOB = str(REPOSITORY / "analytics" / "job.py")
SINGLE = ("level_counts", "level_windows", "error_burst", "brute_force", "top_accounts", "logon_sessions")
COMPARED = "level_windows"
_BLOCK = 50_000
_BLOCK_SECONDS = 60  # of event time: the next block is the same events so much later
_START = (int(time.time()) - 86_400) // 300 * 300_000  # milliseconds: yesterday, where a window begins


class FilledTopic:
    """`count` generated events of about 1.2 KB in three partitions, by computer, times as the record's."""

    def __init__(self, cluster: Cluster, count: int) -> None:
        self.cluster, self.count = cluster, count

    @cached_property
    def name(self) -> str:
        topic, _ = self.cluster.topics(3)
        login = kafka_objects.connection(self.cluster.running.stack, "bridge").client_settings()
        producer = Producer(
            {**login, "compression.type": "lz4", "linger.ms": 20, "queue.buffering.max.messages": 200_000}
        )
        events = generate(GeneratorSettings(seed=1, hosts=50, host_rate=16.0))
        block = [(event.computer, event.line.rstrip(b"\n")) for event in islice(events, _BLOCK)]
        for number in range(self.count):
            at = number % _BLOCK
            computer, line = block[at]
            seconds = (number // _BLOCK + at / _BLOCK) * _BLOCK_SECONDS
            while True:
                try:
                    producer.produce(topic, line, computer, timestamp=_START + int(seconds * 1000))
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(120):
            raise RuntimeError("the topic could not be filled")
        return topic

    @cached_property
    def windows(self) -> dict[str, int]:
        """How many events each window of each level and channel has: by plain Python, the reference."""
        return self.python()[0]

    def python(self) -> tuple[dict[str, int], processes.Finished]:
        command = [sys.executable, str(HERE / "plain_python.py"), self.name]
        finished = processes.run(command, env=self.cluster.running.shell("reader"))
        return json.loads(finished.stdout), finished


def sections(quick: bool, cluster: Cluster) -> list[Section]:
    topic = FilledTopic(cluster, 200_000 if quick else 2_000_000)
    asked = (COMPARED,) if quick else SINGLE
    cases = [Case(name, partial(_asked, topic, name)) for name in asked]
    if not quick:
        cases.append(Case("all six in one job", partial(_asked, topic, ",".join(SINGLE))))
        cases.append(
            Case("level_windows, two subtasks", partial(_asked, topic, COMPARED, "--parallelism", "2"))
        )
    cases.append(Case("plain Python: level_windows", partial(_python, topic)))
    note = (
        f"{topic.count:,} events of about 1.2 KB in three partitions, read to the end by one subtask. "
        "The clock runs once all tasks run. level_windows counts only when its rows equal plain Python's."
    )
    return [Section("questions", "Questions in Flink SQL", "events/s", cases, COMPARED, note)]


def _asked(topic: FilledTopic, questions: str, *options: str) -> Sample:
    running = topic.cluster.running
    tested = [topic.cluster.taskmanager()]
    before = _ends(topic.cluster, "events_by_level_5m")
    answer = running.flink_run(
        questions, "--kafka-topic", topic.name, "--bounded", *options, user="analytics", program=JOB
    )
    if "JobID " not in answer.stdout:
        raise RuntimeError(answer.stdout + answer.stderr)
    job = Job(running, answer.stdout.partition("JobID ")[2].split()[0])
    cpu, peak = cpu_seconds(tested), 0.0
    while job.state() not in ("FINISHED", "FAILED", "CANCELED"):
        peak = max(peak, memory_mib(tested))
        time.sleep(0.1)
    if job.state() != "FINISHED":
        raise RuntimeError(job.failures()[:300])
    spent = cpu_seconds(tested) - cpu
    times = running.rest(f"/jobs/{job.job_id}")["timestamps"]
    began = max(
        subtask["timestamps"]["RUNNING"]
        for vertex in running.rest(f"/jobs/{job.job_id}")["vertices"]
        for subtask in running.rest(f"/jobs/{job.job_id}/vertices/{vertex['id']}/subtasktimes")["subtasks"]
    )
    if COMPARED in questions:
        _same(topic, _windows(topic.cluster, before))
    return Sample(topic.count / ((times["FINISHED"] - began) / 1000), topic.count, spent, peak)


def _python(topic: FilledTopic) -> Sample:
    counts, finished = topic.python()
    _same(topic, counts)
    return Sample(
        topic.count / finished.seconds, topic.count, finished.cost.cpu_seconds, finished.cost.peak_mib
    )


def _same(topic: FilledTopic, counts: dict[str, int]) -> None:
    if counts != topic.windows or sum(counts.values()) != topic.count:
        raise RuntimeError(f"another answer: {sum(counts.values())} events in {len(counts)} rows")


def _ends(cluster: Cluster, topic: str) -> int:
    return int(cluster.reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1])


def _windows(cluster: Cluster, first: int) -> dict[str, int]:
    """The rows of events_by_level_5m from this offset on, as the reference spells them."""
    login = kafka_objects.connection(cluster.running.stack, "reader").client_settings()
    reader = Consumer({**login, "group.id": "win-event-bench"})
    found: dict[str, int] = {}
    try:
        reader.assign([TopicPartition("events_by_level_5m", 0, first)])
        last = _ends(cluster, "events_by_level_5m")

        def complete() -> bool:
            for message in reader.consume(10_000, timeout=0.5):
                row: dict[str, Any] = json.loads(message.value())
                found[" ".join(str(row[name]) for name in primary_key("events_by_level_5m"))] = row["events"]
            return bool(reader.position([TopicPartition("events_by_level_5m", 0)])[0].offset >= last)

        wait_until(complete, "the answer is read", 60)
    finally:
        reader.close()
    return found
