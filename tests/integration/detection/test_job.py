"""detection/job.py on the session's cluster tells what one process tells."""

from __future__ import annotations

import json

from detecting import attacks, close, counted, expected, noon, send, submit
from running import RunningStack, wait_until

START = noon(days_ago=3)


def test_the_job_tells_what_one_process_tells(stack: RunningStack, topics: tuple[str, str]) -> None:
    events = attacks(8_000, seed=2, start=START)
    wanted = expected(events)
    assert len(wanted) > 15
    job = submit(stack, topics[0])
    try:
        send(stack, topics[0], events)
        wait_until(lambda: counted(stack, START), f"first alerts; {job.failures()}", 180)
        close(stack, topics[0], START)
        wait_until(
            lambda: counted(stack, START).items() >= wanted.items(), f"all alerts; {job.failures()}", 180
        )
        assert counted(stack, START) == wanted
        secret = (stack.stack.secrets / "detection").read_text()
        for path in ("", "/config", "/plan"):
            assert secret not in json.dumps(stack.rest(f"/jobs/{job.job_id}{path}"))
    finally:
        job.cancel()
