"""The jobs in SQL log in with the same password file as all other tools."""

from __future__ import annotations

from pathlib import Path

import pytest
from odd_logins import make_user
from running import RunningStack, wait_until

from local_stack.broker import kafka_objects

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("role", "words"), [("analytics", ["level_counts"]), ("detection", [])])
def test_any_password_logs_in(stack: RunningStack, tmp_path: Path, role: str, words: list[str]) -> None:
    topology = kafka_objects.stack_topology(stack.stack)
    logged_in = make_user(stack, topology, role, f"odd-{role}", "everything", tmp_path)
    job = stack.submit_shared(*words, "--checkpoint-interval", "1", program=role, user=role, **logged_in)
    assert "note:" not in job.submission

    def reads_and_writes() -> bool:
        """Wait for two checkpoints: tasks that cannot log in complete none, or fail before the second."""
        return bool(stack.rest(f"/jobs/{job.job_id}/checkpoints")["counts"]["completed"] >= 2)

    try:
        wait_until(reads_and_writes, "two checkpoints", told=job.failures)
        assert job.failures() == ""
    finally:
        job.cancel()
