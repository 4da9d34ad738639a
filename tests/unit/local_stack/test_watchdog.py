"""The watchdog of the TaskManagers continues after every error."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from running import free_ports, wait_until

from local_stack import processes, watchdog
from local_stack.cdc import connect, database, postgres
from local_stack.layout import Stack

pytestmark = pytest.mark.programs


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

    # A TaskManager that ends at once: its options for Java are one that prints the version.
    watched.flink_conf.mkdir(parents=True)
    (watched.flink_conf / "config.yaml").write_text("{}")
    (watched.flink_conf / "memory.json").write_text('{"taskmanager": [["-version"], []]}')
    processes.start(watched, "taskmanager-1", [sys.executable, "-c", ""], {}, watched.directory)
    wait_until(lambda: "taskmanager-1 was gone: started again" in log.read_text(), "it is started again")
    running = processes.running(watched, watchdog.NAME)
    assert running is not None
    process = running.process()
    assert process is not None
    assert process.environ()["WIN_EVENT_JAR_DIR"] == str(watched.jars)


def test_a_killed_database_and_a_killed_worker_come_back(watched: Stack) -> None:
    """PostgreSQL is the real one; there is no Kafka here, so the worker ends again, and is started again."""
    watched = replace(watched, postgres_port=free_ports(1)[0], connect_port=free_ports(1)[0])
    watched.save()
    postgres.start_postgres(watched)
    watched.kafka_logins.mkdir(parents=True)
    (watched.kafka_logins / connect.USER).write_text("x")
    processes.start(watched, connect.NAME, [sys.executable, "-c", ""], {}, watched.directory)
    killed = processes.running(watched, postgres.NAME)
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)  # it is a child of this test; of a stack it would be init's
    watchdog.start_watchdog(watched)
    log = watched.logs / "watchdog.log"
    wait_until(lambda: "connect was gone: started again" in log.read_text(), "the worker is started again")

    def works() -> bool:
        now = processes.running(watched, postgres.NAME)
        try:
            database.open_database(watched, postgres.SUPER_USER, "postgres").close()
        except processes.StartError:
            return False
        return now is not None and now.pid != killed.pid

    wait_until(works, "the database is started again")


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
