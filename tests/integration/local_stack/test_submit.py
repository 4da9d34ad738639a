"""`win-event-stack submit` on a real cluster: once, again, from a savepoint, with another source."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from feeding import Feeder
from running import BIN, Job, RunningProducer, RunningStack, run, wait_until

from local_stack.cluster import flink_run

pytestmark = pytest.mark.integration


def submit(stack: RunningStack, *words: str) -> Any:
    return run(BIN / "win-event-stack", "submit", *words, env=stack.environment)


def taken(stack: RunningStack, *words: str) -> tuple[Job, str]:
    """The job that the cluster accepted, and the messages on stderr."""
    result = submit(stack, *words)
    job_id = flink_run.job_id(result.stdout)
    assert job_id, result.stdout + result.stderr
    assert f"{stack.stack.flink_url}/#/job/{job_id}" in result.stderr
    return Job(stack, job_id), result.stderr


def restored(job: Job) -> int:
    """How often the job was restored; Flink may answer 500 while it restores a job."""
    try:
        return job.restored()
    except HTTPError:
        return 0


@pytest.fixture
def options(
    stack: RunningStack, topics: tuple[str, str], producer: Callable[..., RunningProducer]
) -> list[str]:
    """The options of a bridge that reads a producer and makes a checkpoint every second."""
    port = producer("--rate", "100").port
    names = ["--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1], "--job-name", topics[0]]
    return [*names, "--port", str(port), "--checkpoint-interval", "1"]


def test_a_job_is_submitted_once_and_goes_on_from_its_own_savepoint(
    stack: RunningStack, options: list[str]
) -> None:
    place = f"127.0.0.1:{options[options.index('--port') + 1]}"
    first, _ = taken(stack, *options)
    first.wait_until_running()

    again = submit(stack, *options)
    assert again.returncode == 1
    assert f"is running already as {first.job_id}" in again.stderr
    assert "--yes" in again.stderr

    counts = f"/jobs/{first.job_id}/checkpoints"
    wait_until(lambda: stack.rest(counts)["counts"]["completed"], "a checkpoint is complete")
    stopped = run(stack.stack.bin / "flink", "stop", first.job_id, env=stack.shell())
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    second, told = taken(stack, "--from-checkpoint", *options)
    assert f"continues from {stack.stack.savepoints / 'savepoint-'}{first.job_id[:6]}" in told
    assert f"kept: the position in {place}" in told
    second.wait_until_running()
    wait_until(lambda: restored(second) == 1, "it goes on from the savepoint")

    second.cancel()
    third, told = taken(stack, "--from-checkpoint", *options, "--source", "socket")
    assert f"not kept: the position in {place}" in told
    assert "--allowNonRestoredState" in told
    third.wait_until_running().cancel()


def test_status_warns_when_most_lines_are_rejected(stack: RunningStack, topics: tuple[str, str]) -> None:
    def warned() -> dict[str, Any] | None:
        found = run(BIN / "win-event-stack", "status", "--json", env=stack.environment)
        about = [each for each in json.loads(found.stdout)["warnings"] if topics[0] in each["what"]]
        return about[0] if about else None

    names = ["--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1], "--job-name", topics[0]]
    with Feeder([b"no json at all\n" * 50]) as feeder:
        job = stack.submit_shared(*names, "--port", str(feeder.port))
        warning = wait_until(warned, "status warns")
        job.cancel()
    assert "100% of 50 lines were REJECTED, most of them as not-json" in warning["what"]
    assert "does not send JSON lines" in warning["remedy"]


def test_wrong_options_are_told_at_once_and_nothing_is_submitted(stack: RunningStack) -> None:
    result = submit(stack, "--port", "many")
    assert result.returncode == 2
    assert "Invalid value for '--port'" in result.stderr
    unknown = submit(stack, "--from-checkpoint", "--job-name", "nobody")
    assert unknown.returncode == 1
    assert "no complete checkpoint or savepoint of a job named 'nobody'" in unknown.stderr


def test_a_refused_job_says_why_without_flinks_stack_trace(stack: RunningStack) -> None:
    result = submit(stack, "--kafka-topic", "nowhere", "--job-name", "nowhere")
    assert result.returncode == 1
    assert "nowhere" in result.stderr
    assert "\tat " not in result.stdout + result.stderr


def test_help_is_about_this_command(tmp_path: Path) -> None:
    @cache
    def shown(*words: str) -> str:
        return str(run(BIN / "win-event-stack", "submit", *words, "--help", env=nowhere).stdout)

    nowhere = {"WIN_EVENT_STACK_DIR": str(tmp_path)}
    for words in ("--from-checkpoint", "--yes", "brute_force", "--source [auto|resume|socket]", "Examples:"):
        assert words in shown()
    assert "--jobmanager" not in shown()  # Flink's own
    for program, option in (("analytics", "--set NAME=VALUE"), ("detection", "--rules DIR|FILE")):
        assert option in shown(program)
        assert option not in shown()
        assert "--source" not in shown(program)
