"""The two drivers of detection over Kafka, by their names in the tables."""

from __future__ import annotations

from pathlib import Path

from running import Job

from bench.bridge.cluster import Cluster
from local_stack.layout import REPOSITORY

PROCESS, FLINK = "win-event-detect --topic", "detection/job.py on Flink"
_JOB = REPOSITORY / "detection" / "job.py"


def submitted(cluster: Cluster, topic: str, file: Path, *more: str) -> Job:
    options = ("--kafka-topic", topic, "--rules", str(file), *more)
    return cluster.running.submit(*options, user="detection", program=_JOB)
