"""The metrics of `up --observe` about the processes of a stack, with real processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from prometheus_client import CollectorRegistry
from running import wait_until

from local_stack import processes
from local_stack.health.process_metrics import ProcessCollector, size_on_disk
from local_stack.layout import Stack

pytestmark = pytest.mark.programs

# A parent with a child; both hold memory.
_FAMILY = """
import subprocess, sys
held = bytearray(20_000_000)
child = subprocess.Popen([sys.executable, "-c", "held = bytearray(30_000_000); sum(range(10**7)); input()"],
                         stdin=subprocess.PIPE)
child.wait()
"""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path, run_id=f"test-{os.getpid()}-{tmp_path.name}")
    stack.save()
    yield stack
    processes.stop_all(stack)


def _value(stack: Stack, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(ProcessCollector(lambda: stack))
    return registry.get_sample_value(f"win_event_{name}", labels)


def test_a_process_is_measured_with_its_children(watched: Stack) -> None:
    daemon = processes.start(watched, "family", [sys.executable, "-c", _FAMILY], {}, watched.directory)
    wait_until(
        lambda: (_value(watched, "process_memory_bytes", process="family") or 0) > 50e6, "both are there"
    )
    assert _value(watched, "process_up", process="family") == 1
    process = daemon.process()
    assert process is not None
    (child,) = process.children()
    wait_until(lambda: _value(watched, "process_cpu_seconds_total", process="family"), "it has worked")
    before = _value(watched, "process_cpu_seconds_total", process="family")
    child.kill()
    wait_until(lambda: daemon.process() is None or not psutil.pid_exists(child.pid), "the child has ended")
    after = _value(watched, "process_cpu_seconds_total", process="family")
    assert before is not None
    assert after is None or after >= before  # a sum that falls would look like a restart


def test_a_daemon_that_died_is_told_and_one_that_was_stopped_is_not(watched: Stack) -> None:
    died = processes.start(watched, "died", [sys.executable, "-c", ""], {}, watched.directory)
    stopped = processes.start(watched, "stopped", [sys.executable, "-c", "input()"], {}, watched.directory)
    wait_until(lambda: died.process() is None, "it has ended")
    processes.stop(watched, stopped)
    assert _value(watched, "process_up", process="died") == 0
    assert _value(watched, "process_memory_bytes", process="died") is None
    assert _value(watched, "process_up", process="stopped") is None


def test_machine_and_disk_are_told_before_anything_runs(watched: Stack) -> None:
    for name in ("machine_memory_bytes", "machine_memory_available_bytes", "disk_bytes", "disk_free_bytes"):
        assert (_value(watched, name) or 0) > 0, name
    assert _value(watched, "folder_bytes", folder="kafka") == 0
    (watched.directory / "kafka" / "data").mkdir(parents=True)
    (watched.directory / "kafka" / "data" / "log").write_bytes(bytes(100_000))
    assert size_on_disk(watched.directory / "kafka") >= 100_000
    assert (_value(watched, "folder_bytes", folder="kafka") or 0) >= 100_000
