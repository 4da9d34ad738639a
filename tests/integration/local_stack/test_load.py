"""make load on the running stack: its figures are those of a real run, its exit code is its verdict."""

from __future__ import annotations

import json
import sys

import psutil
import pytest
from running import REPOSITORY, RunningStack, run

pytestmark = pytest.mark.integration


def test_a_short_load_is_measured_and_judged(stack: RunningStack) -> None:
    environment = {**stack.environment, "PYTHONPATH": f"{REPOSITORY}/tests"}
    command = (sys.executable, "-m", "bench.load", "--rate", "300", "--seconds", "3", "--json")
    result = run(*command, env=environment, cwd=REPOSITORY, timeout=300)
    report = json.loads(result.stdout)
    assert f"loading the stack in {stack.stack.directory}" in result.stderr
    assert result.returncode == (0 if report["ok"] else 1)
    held = {each["name"]: each["holds"] for each in report["promises"]}
    assert held["events lost"]
    assert report["ok"] == all(held.values())
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]
    assert report["posts"] >= 1
    cores = sum(each["cpu"] for name, each in report["cost"].items() if name != "producer")
    assert report["stack"]["cpu"] == pytest.approx(cores / (psutil.cpu_count() or 1), abs=0.1)
    assert report["stack"]["cpu"] > 0
    assert 0 < report["stack"]["memory"] < 100
    assert {"producer", "kafka-1", "taskmanager-1"} <= report["cost"].keys()
