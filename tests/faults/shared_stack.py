"""The stack that all faults share: a proxy before the broker, checkpoints on a small disk of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.proxy import Proxy
from running import RunningStack, free_ports, run

CHECKPOINT_DISK = "64m"


@dataclass
class SharedStack:
    running: RunningStack
    broker_proxy: Proxy | None

    def ready(self) -> None:
        """Start again each process that an earlier fault has ended."""
        if self.broker_proxy:
            self.broker_proxy.heal()
        self.running.up()


@contextmanager
def several_brokers(folder: Path, brokers: int) -> Iterator[SharedStack]:
    """A stack with several brokers and nothing between them and their clients."""
    running = RunningStack.at(folder)
    kafka, *_, flink, jobmanager = free_ports(2 * brokers + 2)  # those of brokers and controllers alternate
    options = ["--brokers", brokers, "--kafka-port", kafka, "--controller-port", kafka + 1]
    options += ["--flink-port", flink, "--jobmanager-port", jobmanager]
    try:
        running.up(*map(str, options))
        yield SharedStack(running, None)
    finally:
        running.down()


@contextmanager
def one_broker(folder: Path) -> Iterator[SharedStack]:
    """Start the stack in `folder` with one broker; at the end, stop it and remove everything."""
    names = ("--kafka-port", "--controller-port", "--flink-port", "--jobmanager-port")
    ports = free_ports(len(names))
    running = RunningStack.at(folder)
    with ExitStack() as cleanup:
        proxy = cleanup.enter_context(Proxy(target=ports[0]))
        os.environ["BROKER_ADVERTISED_ADDRESS"] = f"127.0.0.1:{proxy.port}"
        cleanup.callback(os.environ.pop, "BROKER_ADVERTISED_ADDRESS")
        cleanup.callback(running.down)
        options = [word for name, port in zip(names, ports, strict=True) for word in (name, str(port))]
        running.up("--only", "kafka", *options)  # a stack starts in no folder that others have used
        if mount_small_disk(running.stack.checkpoints, CHECKPOINT_DISK):
            cleanup.callback(run, "umount", "--lazy", running.stack.checkpoints)
        running.up()
        yield SharedStack(running, proxy)


def mount_small_disk(folder: Path, size: str) -> bool:
    """A disk that can be filled or made read-only without harm; False if only root may mount."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "win-event-faults", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
