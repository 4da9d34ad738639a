"""The log of a win-event-producer on a real cluster: a savepoint, an absent producer, a cancel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reading import end_offsets
from running import Job, RunningProducer, RunningStack, run, wait_until

from local_stack import processes

pytestmark = pytest.mark.integration


def test_a_savepoint_carries_the_position_over_to_a_job_with_other_options(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger.ndjson"
    source = producer("--rate", "2000", "--count", "30000", "--ledger", str(ledger))
    first = submit(source.port)
    wait_until(lambda: end_offsets(stack, topics[0]) > 1_000, "events flow")
    stop = (stack.stack.bin / "flink", "stop", "--savepointPath", tmp_path.as_uri(), first.job_id)
    result = run(*stop, env=stack.shell(), cwd=tmp_path)
    savepoint = re.search(r"Savepoint completed\. Path: (\S+)", result.stdout)
    assert savepoint, result.stdout + result.stderr
    assert first.state() == "FINISHED"
    options = ("--headers", "source", "--event-timestamps")
    submit(source.port, *options, flink_options=("-s", savepoint[1]))
    audit = wait_until(lambda: complete(stack, topics[0], "--ledger", str(ledger)), "nothing is missing")
    # Nothing twice: it went on where the first one had stopped.
    assert audit["records"] == audit["distinct"] == 30_000


def complete(stack: RunningStack, topic: str, *options: str) -> dict[str, int] | None:
    """The audit, after nothing is missing any more."""
    found: dict[str, int] = stack.verify(topic, *options)
    return None if found["lost"] + found["unseen"] else found


def test_the_job_stays_running_while_its_producer_is_away(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
    tmp_path: Path,
) -> None:
    log = ("--log-dir", str(tmp_path / "log"))
    first = producer("--rate", "max", "--count", "1000", *log)
    job = submit(first.port)
    wait_until(lambda: end_offsets(stack, topics[0]) == 1000, "all 1000")
    first.stop()
    wait_until(lambda: metric(job, "connected") == "0", "the job has noticed")
    assert job.tasks_running()
    producer("--rate", "max", "--count", "500", *log, port=first.port)
    wait_until(lambda: end_offsets(stack, topics[0]) == 1500, "500 more")
    wait_until(lambda: metric(job, "events") == "1500", "Flink counts them")
    assert [metric(job, name) for name in ("rejected", "gaps", "lost_bytes", "plain")] == ["0", "0", "0", "0"]
    assert job.failures() == ""


def test_a_gap_ends_the_job_for_good_under_on_gap_fail(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
) -> None:
    first = producer("--rate", "max", "--count", "1000")
    job = submit(first.port, "--on-gap", "fail")
    wait_until(lambda: end_offsets(stack, topics[0]) == 1000, "all 1000")
    first.stop()
    producer("--rate", "max", "--count", "500", port=first.port)  # without --log-dir: another log
    wait_until(lambda: job.state() == "FAILED", "the job ends")
    assert "ANOTHER LOG: asked for" in job.failures()
    assert end_offsets(stack, topics[0]) == 1000


def test_a_cancel_leaves_the_taskmanager_alone(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
) -> None:
    port = producer("--rate", "1000").port
    jobs = [submit(port) for _ in range(2)]
    for job in jobs:
        job.wait_until_running()
    wait_until(lambda: end_offsets(stack, topics[0]) > 1_000, "events flow")
    before = processes.running(stack.stack, "taskmanager-1")
    for job in jobs:
        job.cancel()

    def all_slots_are_free() -> bool:
        overview = stack.rest("/overview")
        return bool(overview["slots-total"] == overview["slots-available"] > 0)

    wait_until(all_slots_are_free, "the jobs have left their slots")
    assert processes.running(stack.stack, "taskmanager-1") == before


def metric(job: Job, name: str) -> str | None:
    """A metric of the first operator that has it, as Flink's REST interface shows it."""
    for vertex in job.running.rest(f"/jobs/{job.job_id}")["vertices"]:
        path = f"/jobs/{job.job_id}/vertices/{vertex['id']}/metrics"
        found = [m["id"] for m in job.running.rest(path) if m["id"].endswith(f".{name}")]
        if found:
            values = job.running.rest(f"{path}?get={found[0]}")
            return str(values[0]["value"]).removesuffix(".0") if values else None
    return None
