"""Who looks after the TaskManagers looks on, whatever goes wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import wait_until

from local_stack import processes, watchdog
from local_stack.layout import Stack


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path, run_id=f"test-{os.getpid()}-{tmp_path.name}")
    stack.save()
    yield stack
    processes.stop_all(stack)


def test_it_outlives_its_own_errors_and_tells_them(watched: Stack) -> None:
    watchdog.start_watchdog(watched)
    log = watched.logs / "watchdog.log"
    good = watched.file.read_text()
    watched.file.write_text("{")
    wait_until(lambda: "stack.json cannot be read" in log.read_text(), "the error is in the log")
    watched.file.write_text(good)

    # A TaskManager that ends at once, as this stack has no configuration for it.
    processes.start(watched, "taskmanager-1", [sys.executable, "-c", ""], {}, watched.directory)
    wait_until(lambda: "taskmanager-1 was gone: started again" in log.read_text(), "it is started again")
    assert processes.running(watched, watchdog.NAME) is not None


def test_a_lock_that_is_held_for_long_disturbs_nobody_while_nothing_died(watched: Stack) -> None:
    with processes.exclusive(watched):
        watchdog.look(watched.directory, watchdog.Backoff())  # does not wait for the lock


def test_the_pause_grows_while_it_keeps_dying_and_begins_anew_after_a_quiet_time() -> None:
    backoff, now, pauses = watchdog.Backoff(), 1000.0, []
    assert backoff.may_start("a", now)
    for _ in range(9):
        backoff.started("a", now)
        began = now
        while not backoff.may_start("a", now):
            now += 0.5
        pauses.append(now - began)
    assert pauses == [1, 2, 4, 8, 10, 10, 10, 10, 10]
    backoff.started("a", now + 500)
    assert backoff.may_start("a", now + 501)
    assert backoff.may_start("b", now)
