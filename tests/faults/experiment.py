"""What a fault works with: the stack, the pipelines under load, and the measurement of the recovery."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psutil
from faults.pipeline import Pipeline
from faults.proxy import Proxy
from running import RunningStack, wait_until

from local_stack import processes
from local_stack.broker import broker

RECOVERY_LIMIT = 300.0


@dataclass
class Experiment:
    """`recovery`: the longest time, by mode, from the end of a fault to new records in Kafka.

    `outage`: the sum of these times. `slotless`: seconds in which the cluster had no TaskManager.
    `broker_proxy` is between the broker and all its clients. If the whole run cannot be audited after a
    fault, the fault puts its own `reports` here.
    """

    running: RunningStack
    pipelines: Sequence[Pipeline]
    seed: int
    broker_proxy: Proxy | None = None
    slotless: float = 0.0
    outage: dict[str, float] = field(default_factory=dict)
    recovery: dict[str, float] = field(default_factory=dict)
    reports: dict[Pipeline, dict[str, Any]] = field(default_factory=dict)
    say: Callable[[str], None] = print

    def load(self, seconds: float) -> None:
        """Let the load run: the fault lasts, or the pipeline works between two faults."""
        time.sleep(seconds)

    def wait_for_flow(
        self, since: float | None = None, first: Callable[[Pipeline], object] = lambda pipeline: None
    ) -> None:
        """Wait until all deliver again, after the cause has ended (now, or at the monotonic time `since`).

        `first` is done in each pipeline, all at the same time; only records that come afterwards count.
        """
        healed = time.monotonic() if since is None else since

        def recovery(pipeline: Pipeline) -> float:
            first(pipeline)
            return _until_a_new_record(pipeline, healed)

        seconds = self.in_all_pipelines(recovery)
        took = {pipeline.mode.name: each for pipeline, each in zip(self.pipelines, seconds, strict=True)}
        silent = [name for name, each in took.items() if each > RECOVERY_LIMIT]
        assert not silent, f"no new record within {RECOVERY_LIMIT:.0f} s: {', '.join(silent)}"
        self.say(f"events flow again after {', '.join(f'{s:.1f} s ({name})' for name, s in took.items())}")
        for name, each in took.items():
            self.recovery[name] = max(round(each, 1), self.recovery.get(name, 0.0))
            self.outage[name] = self.outage.get(name, 0.0) + each

    def in_all_pipelines(self, work: Callable[[Pipeline], Any]) -> list[Any]:
        """Do the same in every pipeline at the same time."""
        with ThreadPoolExecutor(len(self.pipelines)) as pool:
            return list(pool.map(work, self.pipelines))

    def kill(self, name: str) -> int:
        """Send SIGKILL to a daemon of the stack and wait until it has ended; its pid."""
        daemon = self._daemon(name)
        process = psutil.Process(daemon.pid)
        process.kill()
        wait_until(lambda: daemon.process() is None, f"{name} is dead")
        return daemon.pid

    def stop(self, name: str) -> psutil.Process:
        """Send SIGSTOP; returns the process, for `resume()`."""
        process = psutil.Process(self._daemon(name).pid)
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, f"{name} is stopped")
        return process

    def revived(self, name: str) -> int:
        """Wait until the stack's watchdog has started a killed daemon again; the new pid."""
        wait_until(lambda: processes.running(self.running.stack, name), f"{name} is started again")
        return self._daemon(name).pid

    def start_broker(self, number: int = 1) -> int:
        broker.start_brokers(self.running.stack, [number])
        return self._daemon(broker.name(number)).pid

    def restarts(self) -> dict[str, int]:
        """How often each job continued from a checkpoint."""
        return {pipeline.mode.name: pipeline.job.restored() for pipeline in self.pipelines}

    def restarted_since(self, before: dict[str, int]) -> dict[str, int]:
        """Wait until every job has restarted; the numbers of restarts."""

        def look() -> dict[str, int]:
            now = self.restarts()
            return now if all(now[mode] > count for mode, count in before.items()) else {}

        return dict(wait_until(look, f"every job has restarted since {before}", 120))

    def _daemon(self, name: str) -> processes.Daemon:
        found = processes.running(self.running.stack, name)
        assert found, f"{name} does not run"
        return found


def _until_a_new_record(pipeline: Pipeline, since: float) -> float:
    """Seconds from `since` until a new record is read; more than the limit if none comes."""
    marked = False
    while (took := time.monotonic() - since) <= RECOVERY_LIMIT:
        if not marked:
            marked = pipeline.arrivals.mark()
        elif pipeline.arrivals.came():
            break
    return took
