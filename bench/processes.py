"""Starts tested programs and measures their processor seconds and memory, with their children."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Cost:
    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True)
class Finished:
    stdout: bytes
    seconds: float
    cost: Cost


def run(command: Sequence[str], env: Mapping[str, str] | None = None, discard: bool = False) -> Finished:
    """Run a command to its end; returns its cost. Raises RuntimeError with its output if it fails."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        wanted = subprocess.DEVNULL if discard else subprocess.PIPE
        process = subprocess.Popen(list(command), env=env, stdout=wanted, stderr=errors)
        with _peak_memory(process) as peak:
            out = process.stdout.read() if process.stdout else b""
            _, status, usage = os.wait4(process.pid, 0)  # unlike Popen.wait(), it returns the processor time
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.stdout:
            process.stdout.close()
        if status:
            errors.seek(0)
            words = errors.read().decode(errors="replace")[-800:]
            raise RuntimeError(f"{command[0]} failed with {process.returncode}: {words}")
    return Finished(out, seconds, Cost(usage.ru_utime + usage.ru_stime, max(peak)))


@contextmanager
def _peak_memory(process: subprocess.Popen[bytes]) -> Iterator[list[float]]:
    """The peak of sampled resident memory in MiB.

    The kernel's own figure (ru_maxrss) would include this program's size before the exec.
    """
    samples, over = [0.0], threading.Event()

    def look() -> None:
        with suppress(psutil.NoSuchProcess):
            watched = psutil.Process(process.pid)
            while not over.wait(0.05):
                samples.append(memory_mib([watched]))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()


@contextmanager
def producer(*options: str) -> Iterator[tuple[int, psutil.Process]]:
    """win-event-producer on a free port: the port, and its process for `cost_of`."""
    with tempfile.NamedTemporaryFile() as log:
        command = [str(BIN / "win-event-producer"), "--port", "0", *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            yield _port(process, Path(log.name)), psutil.Process(process.pid)
        finally:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if match := re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text(errors="replace")):
            return int(match[1])
        time.sleep(0.02)
    raise RuntimeError(f"win-event-producer did not start: {log.read_text(errors='replace')}")


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """Processor seconds of these processes and of all that they have started, also of what has ended."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            for member in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    times = member.cpu_times()
                    total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mib(processes: Sequence[psutil.Process]) -> float:
    """Resident memory of these processes and of everything they have started, now."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += sum(member.memory_info().rss for member in (process, *process.children(recursive=True)))
    return total / 2**20
