"""detection/job.py on the session's cluster gives the same alerts as one process."""

from __future__ import annotations

import json

import pytest
from asking import refused
from detecting import attacks, close, counted, expected, noon, send, submit
from running import RunningStack, wait_until

START = noon(days_ago=3)


@pytest.mark.parametrize("mode", ["thread", pytest.param("process", marks=pytest.mark.nightly)])
def test_the_job_tells_what_one_process_tells(
    stack: RunningStack, topics: tuple[str, str], mode: str
) -> None:
    events = attacks(8_000, seed=2, start=START)
    wanted = expected(events)
    assert len(wanted) > 15
    job = submit(stack, topics[0], "--execution-mode", mode)
    try:
        send(stack, topics[0], events)
        wait_until(lambda: counted(stack, START), "first alerts", told=job.failures)
        close(stack, topics[0], START)
        wait_until(lambda: counted(stack, START).items() >= wanted.items(), "all alerts", told=job.failures)
        assert counted(stack, START) == wanted
        secret = (stack.stack.secrets / "detection").read_text()
        for path in ("", "/config", "/plan"):
            assert secret not in json.dumps(stack.rest(f"/jobs/{job.job_id}{path}"))
    finally:
        job.cancel()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kafka-topic", "not_there"], ["not_there", "READ on it"]),
        (["--group", "somebody-elses"], ["somebody-elses", "log in as detection"]),
        (["--parallelism", "1000"], ["the cluster has only", "--taskmanagers"]),
    ],
    ids=["missing topic", "group", "too many subtasks"],
)
def test_what_cannot_work_is_told_before(stack: RunningStack, options: list[str], said: list[str]) -> None:
    line = refused(stack, *options, user="detection", program="detection")
    assert all(words in line for words in said), line
