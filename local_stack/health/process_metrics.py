"""CPU, memory and disk of every process of a stack, for Prometheus: a daemon of `up --observe`.

`python -m local_stack.health.process_metrics FOLDER PORT` serves them on loopback until it is stopped.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from local_stack import processes
from local_stack.layout import Stack, load_stack
from toolkit.addresses import LOOPBACK

NAME = "process-metrics"
_FOLDERS = ("cdc", "flink", "kafka", "logs", "prometheus")


class ProcessCollector(Collector):
    """Reads the processes for each scrape. A daemon that died has up 0."""

    def __init__(self, stack: Callable[[], Stack]) -> None:
        self._stack = stack

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        stack = self._stack()
        yield from _processes(processes.recorded(stack))
        yield from _disk(stack)
        memory = psutil.virtual_memory()
        yield _gauge("machine_memory_bytes", "Memory of this machine.", memory.total)
        yield _gauge(
            "machine_memory_available_bytes",
            "Memory of this machine that a process can still get.",
            memory.available,
        )
        yield _gauge("machine_cpus", "Processors of this machine.", psutil.cpu_count() or 1)


def _processes(daemons: Collection[processes.Daemon]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "win_event_process_up", "1 while the process runs, 0 after it has died.", labels=("process",)
    )
    cpu = CounterMetricFamily(
        "win_event_process_cpu_seconds", "Processor time, with its children.", labels=("process",)
    )
    memory = GaugeMetricFamily(
        "win_event_process_memory_bytes", "Resident memory, with its children.", labels=("process",)
    )
    others = {daemon.pid for daemon in daemons}
    for daemon in daemons:
        family = _family(daemon.process(), others)
        up.add_metric((daemon.name,), bool(family))
        if family:
            cpu.add_metric((daemon.name,), sum(map(_cpu_seconds, family)) + _of_ended_children(family[0]))
            memory.add_metric((daemon.name,), sum(map(_memory, family)))
    yield from (up, cpu, memory)


def _family(process: psutil.Process | None, others: Collection[int]) -> list[psutil.Process]:
    if process is None:
        return []
    with suppress(psutil.Error):
        return processes.family(process, others)
    return []


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _of_ended_children(process: psutil.Process) -> float:
    """The CPU time of ended children: without it, the sum would fall, which looks like a restart."""
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.children_user + times.children_system)
    return 0.0


def _memory(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _disk(stack: Stack) -> Iterator[Metric]:
    used = GaugeMetricFamily(
        "win_event_folder_bytes", "Size of a folder of the stack on disk.", labels=("folder",)
    )
    for name in _FOLDERS:
        used.add_metric((name,), size_on_disk(stack.directory / name))
    yield used
    disk = psutil.disk_usage(str(stack.directory))
    yield _gauge("disk_bytes", "Size of the disk that the stack is on.", disk.total)
    yield _gauge("disk_free_bytes", "Free space on this disk.", disk.free)


def size_on_disk(folder: Path) -> int:
    """Bytes on disk, in blocks; files that are removed meanwhile do not count."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_blocks * 512  # noqa: PTH118 - thousands of files
    return total


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"win_event_{name}", text, value=value)


def main(directory: Path, port: int) -> None:
    registry = CollectorRegistry()
    registry.register(ProcessCollector(lambda: load_stack(directory)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _, thread = start_http_server(port, LOOPBACK, registry)
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
