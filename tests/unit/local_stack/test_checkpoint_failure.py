"""Which failed checkpoint `status` warns about."""

from __future__ import annotations

from typing import Any

from local_stack.health.jobs import checkpoint_failure


def _failed(reason: str, completed: int | None = 1, count: int = 1) -> dict[str, Any]:
    newest = None if completed is None else {"id": completed}
    return {
        "counts": {"failed": count},
        "latest": {"failed": {"id": 2, "failure_message": reason}, "completed": newest},
    }


def test_the_newest_one_with_its_reason() -> None:
    assert checkpoint_failure(_failed("expired")) == "expired"
    assert checkpoint_failure(_failed("expired", completed=3)) is None
    assert checkpoint_failure({"counts": {"failed": 0}}) is None


def test_not_the_first_one_of_a_job_that_starts() -> None:
    assert checkpoint_failure(_failed("not all tasks run", completed=None)) is None
    assert checkpoint_failure(_failed("not all tasks run", completed=None, count=2)) == "not all tasks run"


def test_not_one_that_a_restart_ended() -> None:
    reason = "Checkpoint Coordinator is suspending."
    assert checkpoint_failure(_failed(reason)) is None
