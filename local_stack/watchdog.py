"""Starts TaskManagers again that died: `python -m local_stack.watchdog FOLDER`, itself a daemon of the stack.

Every real deployment has something that does this (Kubernetes, systemd, a container's restart policy), and
needs it: a Kafka send error that surfaces again while the sink closes ends the whole TaskManager process
(seen with Flink 2.2.1 and connector 5.0.0-2.2: "FATAL - exception in exception handler of task").
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from local_stack import processes
from local_stack.cluster import cluster
from local_stack.layout import Stack, load_stack

NAME = "watchdog"
_LOOK_SECONDS = 1.0
_log = logging.getLogger(__name__)


def start_watchdog(stack: Stack) -> None:
    command = [sys.executable, "-m", "local_stack.watchdog", str(stack.directory)]
    processes.start(stack, NAME, command, cluster.base_environment(), stack.directory)


def revive(stack: Stack) -> list[str]:
    """Start every TaskManager that should run and does not; returns their names."""
    names = []
    with processes.exclusive(stack):
        for number in range(1, stack.taskmanagers + 1):
            name = f"taskmanager-{number}"
            if processes.is_recorded(stack, name) and not processes.running(stack, name):
                # Python workers of a killed TaskManager may hang for ever in their own shutdown, 200 MB each.
                processes.stop_orphans(stack)
                cluster.start_taskmanager(stack, number)
                names.append(name)
    return names


def main(directory: Path) -> None:
    """Look after the stack until it is told to stop."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stdout)
    while True:
        time.sleep(_LOOK_SECONDS)
        for name in revive(load_stack(directory)):
            _log.info("%s was gone: started again", name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
