"""`make bench-bridge`: how many events a second the bridge carries, beside what it could be compared with.

One broker, one cluster, one feeder; the variants run one after the other, and what counts is the ratio.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import psutil
from confluent_kafka import Consumer, TopicPartition

from local_stack import flink_rest, kafka_objects, tools
from local_stack.layout import REPOSITORY, Stack, load_stack

JOB = REPOSITORY / "flink_bridge" / "job.py"
ALL = (
    "--event-timestamps",
    "--headers",
    "source,level,event_id",
    "--require",
    "timestamp,level,source,message",
)
VARIANTS: dict[str, tuple[str, ...]] = {
    "raw pass-through": (str(REPOSITORY / "bench" / "bridge_raw.py"),),
    "socket, default": (str(JOB), "--source", "socket"),
    "socket, all options": (str(JOB), "--source", "socket", *ALL),
    "resume, default": (str(JOB), "--source", "resume"),
    "resume, all options": (str(JOB), "--source", "resume", *ALL),
    "plain Python": (str(REPOSITORY / "bench" / "bridge_python.py"),),
}
SECONDS = 5.0 if os.environ.get("QUICK") else 15.0


@dataclass(frozen=True)
class Figure:
    rate: float  # events a second
    cpu: float  # microseconds of the bridge's own processes an event


def main() -> None:
    wanted = sys.argv[1:] or list(VARIANTS)
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="bench-bridge-") as folder, _stack(Path(folder)) as stack:
        (port,) = free_ports(1)
        with _started(sys.executable, "-m", "bench.bridge_feeder", str(port), cwd=str(REPOSITORY)):
            for name in wanted:
                figures[name] = _measure(stack, VARIANTS[name], port)
                _say(f"{name:22} {figures[name].rate:10,.0f}/s {figures[name].cpu:7.2f} us of CPU an event")
    _report(figures)


def _report(figures: dict[str, Figure]) -> None:
    limit = figures.get("raw pass-through")
    today, load = f"{datetime.now(timezone.utc):%Y-%m-%d}", os.getloadavg()[0]
    _say(f"\n{today}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}\n")
    _say("| Variant | events/s | of raw | CPU us/event |\n|---|---|---|---|")
    for name, figure in figures.items():
        ratio = f"{figure.rate / limit.rate:.2f}" if limit else ""
        _say(f"| {name} | {figure.rate:,.0f} | {ratio} | {figure.cpu:.2f} |")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def _stack(folder: Path) -> Iterator[Stack]:
    jars = os.environ.get("WIN_EVENT_JAR_DIR") or str(REPOSITORY / ".stack" / "jars")
    environment = {**os.environ, "WIN_EVENT_STACK_DIR": str(folder), "WIN_EVENT_JAR_DIR": jars}
    command = str(Path(sys.executable).parent / "win-event-stack")
    names = ("--kafka-port", "--controller-port", "--flink-port", "--jobmanager-port")
    ports = [word for name, port in zip(names, free_ports(4), strict=True) for word in (name, str(port))]
    try:
        subprocess.run([command, "up", *ports], env=environment, check=True)
        yield load_stack(folder)
    finally:
        subprocess.run([command, "down"], env=environment, check=True, stderr=subprocess.DEVNULL)


@contextmanager
def _started(*command: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    process: subprocess.Popen[bytes] = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _measure(stack: Stack, script: tuple[str, ...], port: int) -> Figure:
    environment = {**os.environ, **tools.exports(stack)}
    if script[0].endswith("bridge_python.py"):
        environment["PYTHONPATH"] = str(REPOSITORY)
        with _started(sys.executable, script[0], str(port), env=environment) as process:
            return _count(stack, [psutil.Process(process.pid)])
    where = ["--port", str(port)] if script[0] == str(JOB) else [str(port)]
    submit = [str(stack.bin / "flink"), "run", "-d", "-py", *script, *where]
    subprocess.run(submit, env=environment, check=True, capture_output=True)
    try:
        return _count(stack, _taskmanagers(stack))
    finally:
        _cancel_all(stack)


def _count(stack: Stack, processes: list[psutil.Process]) -> Figure:
    consumer = Consumer(
        {**kafka_objects.connection(stack, "reader").client_settings(), "group.id": "win-event-bench"}
    )
    try:
        before = _events(consumer)
        deadline = time.monotonic() + 120
        while _events(consumer) == before:
            if time.monotonic() > deadline:
                raise SystemExit("no event reached Kafka within 120 s")
            time.sleep(0.2)
        time.sleep(SECONDS)  # the JVM compiles what is hot
        first, cpu, start = _events(consumer), _cpu(processes), time.monotonic()
        time.sleep(SECONDS)
        count, seconds = _events(consumer) - first, time.monotonic() - start
        return Figure(count / seconds, (_cpu(processes) - cpu) / max(count, 1) * 1e6)
    finally:
        consumer.close()


def _events(consumer: Consumer) -> int:
    partitions = [TopicPartition("events_processed", number) for number in range(3)]
    return sum(consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in partitions)


def _cpu(processes: list[psutil.Process]) -> float:
    """CPU seconds of the processes and their children, such as Python workers."""
    everyone = [each for process in processes for each in (process, *process.children(recursive=True))]
    return float(sum(sum(each.cpu_times()[:2]) for each in everyone))


def _taskmanagers(stack: Stack) -> list[psutil.Process]:
    marker = str(stack.directory)
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "TaskManagerRunner" in (line := " ".join(process.info["cmdline"] or ())) and marker in line
    ]


def _cancel_all(stack: Stack) -> None:
    """Cancel, and wait until the slots and the socket are free again."""
    ended = ("CANCELED", "FAILED", "FINISHED")
    while running := [job for job in flink_rest.jobs(stack.flink_url) if job["state"] not in ended]:
        for job in running:
            flink_rest.cancel(stack.flink_url, job["jid"])
        time.sleep(1)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":
    main()
