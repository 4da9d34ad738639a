"""The two drivers of detection over Kafka, by their names in the tables."""

from __future__ import annotations

from pathlib import Path

from running import Job

from bench.bridge.cluster import Cluster
from local_stack.layout import REPOSITORY

PROCESS, FLINK = "win-event-detect --topic", "detection/job.py on Flink"
_JOB = str(REPOSITORY / "detection" / "job.py")


def submitted(cluster: Cluster, topic: str, file: Path, *more: str) -> Job:
    options = ("--kafka-topic", topic, "--rules", str(file), *more)
    answer = cluster.running.flink_run(*options, user="detection", program=_JOB)
    if "JobID " not in answer.stdout:
        raise RuntimeError(answer.stdout + answer.stderr)
    return Job(cluster.running, answer.stdout.partition("JobID ")[2].split()[0])
