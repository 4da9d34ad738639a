"""Restarts TaskManagers, PostgreSQL and Kafka Connect that died; itself a daemon of the stack.

`python -m local_stack.watchdog FOLDER` runs it until it is told to stop.

Real deployments have something that does this (Kubernetes, systemd, a container's restart policy), and need
it: a Kafka send error that is thrown again while the sink closes ends the whole TaskManager process (seen
with Flink 2.2.1 and connector 5.0.0-2.2: "FATAL - exception in exception handler of task").
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from local_stack import processes
from local_stack.cdc import connect, postgres
from local_stack.cluster import cluster
from local_stack.layout import Stack, load_stack

NAME = "watchdog"
_LOOK_SECONDS = 1.0
_LONGEST_PAUSE = 10.0  # seconds; a producer must keep the events of this time
_OTHERS = {postgres.NAME: postgres.launch, connect.NAME: connect.launch}
_log = logging.getLogger(__name__)


class Backoff:
    """When a process that keeps dying may be started again: at once, then after 1, 2, 4, 8, 10, 10 … seconds.

    After a run that was longer than the longest pause, the series begins again. Times are in seconds of a
    clock that only goes forward.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, float]] = {}  # name -> when it was started, the pause after that

    def may_start(self, name: str, now: float) -> bool:
        began, pause = self._last.get(name, (0.0, 0.0))
        return now >= began + pause

    def started(self, name: str, now: float) -> None:
        began, pause = self._last.get(name, (0.0, 0.0))
        again_soon = now - began <= pause + _LONGEST_PAUSE
        self._last[name] = (now, min(2 * pause, _LONGEST_PAUSE) if again_soon and pause else 1.0)


def start_watchdog(stack: Stack) -> None:
    command = [sys.executable, "-m", "local_stack.watchdog", str(stack.directory)]
    # What it starts loads classes from there.
    environment = cluster.base_environment() | {"WIN_EVENT_JAR_DIR": str(stack.jars)}
    processes.start(stack, NAME, command, environment, stack.directory)


def dead(stack: Stack) -> list[str]:
    """Names of the daemons that should run and do not, TaskManagers first."""
    taskmanagers = [f"taskmanager-{number}" for number in range(1, stack.taskmanagers + 1)]
    return [
        name
        for name in (*taskmanagers, *_OTHERS)
        if processes.is_recorded(stack, name) and not processes.running(stack, name)
    ]


def look(directory: Path, backoff: Backoff) -> None:
    """Start every dead daemon whose pause is over. Raises StartError, LayoutError, OSError."""
    stack = load_stack(directory)
    due = [name for name in dead(stack) if backoff.may_start(name, time.monotonic())]
    if not due:
        return  # without the lock: `up` may hold it for long while it downloads jars
    with processes.exclusive(stack):
        for name in [each for each in dead(stack) if each in due]:
            # Python workers of a killed TaskManager may hang forever in their shutdown, with 200 MB each.
            processes.stop_orphans(stack)
            backoff.started(name, time.monotonic())
            daemon = _start(stack, name)
            _log.info("%s was gone: started again as pid %d", daemon.name, daemon.pid)


def _start(stack: Stack, name: str) -> processes.Daemon:
    if name in _OTHERS:
        return _OTHERS[name](stack)
    return cluster.start_taskmanager(stack, int(name.rpartition("-")[2]))


def main(directory: Path) -> None:
    """Watch the stack until a stop; errors are logged, and the watchdog continues."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stdout)
    backoff, pause = Backoff(), _LOOK_SECONDS
    while True:
        time.sleep(pause)
        try:
            look(directory, backoff)
            pause = _LOOK_SECONDS
        except Exception as error:  # catch everything: nothing else would restart a TaskManager
            pause = min(2 * pause, _LONGEST_PAUSE)
            _log.error("%s: %s; trying again in %.0f s", type(error).__name__, error, pause)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
