"""Detection over Kafka: events per second to the end of a topic."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition
from running import Job

from bench.analytics.filled import FilledTopic
from bench.bridge.cluster import Cluster
from bench.detection import delay, rules
from bench.detection.detecting import RULES
from bench.detection.drivers import FLINK, PROCESS, submitted
from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import BIN, cpu_seconds, memory_mib, run
from detection.running.rule_source import BUILT_IN
from local_stack.broker import kafka_objects
from toolkit.flink_rest import ENDED

_WARM = 0.2  # the share of the events after which the clock starts on Flink
_NOTE = (
    "On Flink, the time is measured from the first committed position after a fifth of the events to the "
    "last one, without the start of Python and the compilers of a cold cluster. For the process, the start "
    "is included. Processor time does not include the broker's."
)


def sections(quick: bool, cluster: Cluster) -> list[Section]:
    topic = FilledTopic(cluster, 400_000 if quick else 3_000_000)
    file = rules.write(cluster.running.stack.directory, RULES)
    cases = [
        Case(PROCESS, partial(_process, topic, file)),
        Case(FLINK, partial(_on_flink, topic, file)),
        Case(f"{FLINK}, Python in its own process", partial(_on_flink, topic, file, "process")),
        # They count much more than those of the file, and some of them count each other.
        Case(f"{FLINK}, the built-in rules", partial(_on_flink, topic, BUILT_IN)),
    ]
    what = f"{topic.count:,} events of about 1.2 KB in three partitions, {RULES} rules, read to the end. "
    carried = Section("detection stream", "Detection over Kafka", "events/s", cases, PROCESS, what + _NOTE)
    return [carried, delay.section(quick, cluster, file)]


def _process(topic: FilledTopic, file: Path) -> Sample:
    command = [str(BIN / "win-event-detect"), "--rules", str(file), "--topic", topic.name, "--bounded"]
    command += ["--group", _new_group(), "--output", "json"]
    done = run(command, env=topic.cluster.running.shell("detection"), discard=True)
    return Sample(topic.count / done.seconds, topic.count, done.cost.cpu_seconds, done.cost.peak_mib)


def _new_group() -> str:
    return f"win-event-detection-{time.monotonic_ns()}"


def _on_flink(topic: FilledTopic, file: Path, mode: str = "thread") -> Sample:
    group = _new_group()
    more = ("--bounded", "--execution-mode", mode, "--group", group, "--checkpoint-interval", "0.5")
    job = submitted(topic.cluster, topic.name, file, *more)
    positions, peak = _positions(topic, job, group)
    begin = next((seen for seen in positions if seen.records >= topic.count * _WARM), positions[-1])
    end, count = positions[-1], positions[-1].records - begin.records
    if not count:
        raise RuntimeError(f"all events came at once, at {end.records}: nothing is left to time")
    return Sample(count / (end.at - begin.at), count, end.cpu - begin.cpu, peak)


class _Position(NamedTuple):
    """How many records the group had processed at a moment, and the processor seconds until then."""

    records: int
    at: float
    cpu: float


def _positions(topic: FilledTopic, job: Job, group: str) -> tuple[list[_Position], float]:
    """Each position that the job commits until its end, and its peak memory in MiB."""
    tested = [topic.cluster.taskmanager()]
    login = kafka_objects.connection(topic.cluster.running.stack, "detection").client_settings()
    reader = Consumer({**login, "group.id": group})
    places = [TopicPartition(topic.name, number) for number in range(3)]
    found, peak = [_Position(0, time.monotonic(), cpu_seconds(tested))], 0.0
    try:
        while (state := job.state()) not in ENDED:
            records = sum(max(each.offset, 0) for each in reader.committed(places, timeout=60))
            if records > found[-1].records:
                spent = max(cpu_seconds(tested), found[-1].cpu)  # Python's workers may have ended already
                found.append(_Position(records, time.monotonic(), spent))
            peak = max(peak, memory_mib(tested))
            time.sleep(0.05)
    finally:
        reader.close()
    if state != "FINISHED":
        raise RuntimeError(job.failures()[:300])
    return found, peak
