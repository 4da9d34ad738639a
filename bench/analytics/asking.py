"""Each question, and all in one job, over a filled topic; a figure counts only if the answer is right."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial

import orjson
from asking import ask
from running import Job

from analytics.answers import primary_key
from bench import processes
from bench.analytics.filled import FilledTopic, Rows, end_of, rows_from, some_events
from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib
from local_stack.demo.questions import ANSWERS  # those that are also written by hand
from toolkit.flink_rest import ENDED

SINGLE = ("level_windows", "level_counts", "error_burst", "brute_force", "top_accounts", "logon_sessions")
_OTHERS = {"plain Python": "bench.analytics.plain_python", "Bytewax": "bench.analytics.bytewax_flow"}
_BYTEWAX = "bytewax==0.21.1"


class Questions:
    """Runs over one topic; the rows of plain Python are the reference."""

    def __init__(self, topic: FilledTopic, warm: bool) -> None:
        self.topic, self._cold = topic, warm
        self._wanted: dict[str, Rows] = {}

    def of_flink(self, questions: str, *options: str) -> Sample:
        if self._cold:  # a first run does not count: a long-running cluster has compiled the code
            self._cold = False
            self._run(",".join(SINGLE))
        return self._run(questions, *options)

    def _run(self, questions: str, *options: str) -> Sample:
        cluster, count = self.topic.cluster, self.topic.count
        asked = [name for name in ANSWERS if name in questions.split(",")]
        before = {name: end_of(cluster, ANSWERS[name]) for name in asked}
        words = ("--kafka-topic", self.topic.name, "--bounded", *options)
        cpu = cpu_seconds([cluster.taskmanager()])
        job = ask(cluster.running, questions, *words)
        seconds, spent, peak = finished(cluster, job, cpu)
        for name in asked:
            rows = rows_from(cluster, ANSWERS[name], before[name])
            self._same(name, {key: row for key, row in rows.items() if row.get("rule", name) == name})
        return Sample(count / seconds, count, spent, peak)

    def by_hand(self, name: str, module: str) -> Sample:
        rows, sample = self._other(name, module)
        self._same(name, rows)
        return sample

    def _other(self, name: str, module: str) -> tuple[Rows, Sample]:
        command = [sys.executable, "-m", module, name, self.topic.name]
        done = processes.run(command, env={**os.environ, **self.topic.cluster.running.shell("reader")})
        told, count, key = json.loads(done.stdout), self.topic.count, primary_key(ANSWERS[name])
        rows = {tuple(row[column] for column in key): row for row in told["rows"]}
        cost = done.cost
        return rows, Sample(count / told["seconds"], count, cost.cpu_seconds, cost.peak_mib)

    def _same(self, name: str, rows: Rows) -> None:
        if name not in self._wanted:
            self._wanted[name], _ = self._other(name, _OTHERS["plain Python"])
        wanted = self._wanted[name]
        if rows != wanted or not wanted:
            other = [key for key in rows.keys() | wanted.keys() if rows.get(key) != wanted.get(key)]
            raise RuntimeError(
                f"{name}: another answer in {len(other)} of {len(wanted)} rows, such as {other[:1]}"
            )


def sections(quick: bool, cluster: Cluster) -> list[Section]:
    topic = FilledTopic(cluster, 200_000 if quick else 2_000_000)
    asking = Questions(topic, warm=not quick)
    asked = tuple(ANSWERS) if quick else SINGLE
    cases = [Case(name, partial(asking.of_flink, name)) for name in asked]
    if not quick:
        more = ("--parallelism", "2")
        cases.append(Case("level_windows, two subtasks", partial(asking.of_flink, "level_windows", *more)))
    cases.append(Case("all six in one job", partial(asking.of_flink, ",".join(SINGLE))))
    absent = {}
    for other, module in _OTHERS.items():
        if other == "Bytewax" and importlib.util.find_spec("bytewax") is None:
            absent["Bytewax"] = f"uv pip install --no-deps {_BYTEWAX}"
            continue
        cases += [Case(f"{other}: {name}", partial(asking.by_hand, name, module)) for name in ANSWERS]
    cases.append(Case("orjson alone, without Kafka", partial(_orjson_alone, min(topic.count, 100_000))))
    note = (
        f"{topic.count:,} events of about 1.2 KB in three partitions, read to the end: on Flink by one "
        "subtask, otherwise by one process. The time is measured from the start of reading. level_windows "
        "and brute_force count only if every row is equal to plain Python's. orjson alone: one process "
        "parses events in memory and looks at two fields; it tells how fast the machine is."
    )
    title = "Questions in Flink SQL"
    section = Section("questions", title, "events/s", cases, "level_windows", note, absent=absent)
    return [section, _longer(cluster, 400_000 if quick else 8_000_000)]


def _longer(cluster: Cluster, count: int) -> Section:
    asking = Questions(FilledTopic(cluster, count), warm=False)
    cases = [
        Case("level_windows", partial(asking.of_flink, "level_windows")),
        Case("level_windows, two subtasks", partial(asking.of_flink, "level_windows", "--parallelism", "2")),
        Case("orjson alone, without Kafka", partial(_orjson_alone, min(count, 100_000))),
    ]
    note = (
        f"As above, with {count:,} events: Java compiles the code of each job anew, which takes as long as "
        "before, but less of the whole. Every row is equal to plain Python's."
    )
    title = "A question in Flink SQL that runs for longer"
    return Section("questions-longer", title, "events/s", cases, "level_windows", note)


def _orjson_alone(count: int) -> Sample:
    lines = [line for _, line in some_events(count)]
    began, cpu = time.monotonic(), time.process_time()
    for line in lines:
        event = orjson.loads(line)
        event["level"], event["source"]
    return Sample(count / (time.monotonic() - began), count, time.process_time() - cpu)


def finished(cluster: Cluster, job: Job, cpu: float) -> tuple[float, float, float]:
    """Run a bounded job to its end. `cpu`: the processor seconds of the TaskManager before the job began.

    Returns the seconds from the moment when all its tasks run, processor seconds, and peak memory in MiB.
    """
    tested = [cluster.taskmanager()]
    peak = 0.0
    while job.state() not in ENDED:
        peak = max(peak, memory_mib(tested))
        time.sleep(0.1)
    spent = cpu_seconds(tested) - cpu
    if job.state() != "FINISHED":
        raise RuntimeError(f"the job is {job.state()}: {job.reason()}")
    return _seconds(job), spent, peak


def without_failure(job: Job, condition: Callable[[], bool]) -> bool:
    """The value of the condition. Raises RuntimeError with the reason if the job has failed."""
    if reason := job.reason():
        raise RuntimeError(f"the job failed: {reason}")
    return condition()


def _seconds(job: Job) -> float:
    """Seconds from the start of its last task to its end."""
    found = job.running.rest(f"/jobs/{job.job_id}")
    began = max(
        subtask["timestamps"]["RUNNING"]
        for vertex in found["vertices"]
        for subtask in job.running.rest(f"/jobs/{job.job_id}/vertices/{vertex['id']}/subtasktimes")[
            "subtasks"
        ]
    )
    return float(found["timestamps"]["FINISHED"] - began) / 1000
