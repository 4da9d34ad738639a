"""Processes killed and stopped: TaskManager, JobManager, broker, producer."""

from __future__ import annotations

import time
from dataclasses import replace

import psutil
from faults.experiment import RECOVERY_LIMIT, Experiment
from faults.network_faults import one_reset
from faults.pipeline import CHECKPOINT_SECONDS, Pipeline
from running import wait_until

from local_stack.broker import broker
from local_stack.cluster import cluster
from local_stack.cluster.checkpoints import newest
from toolkit import flink_rest

SETTLE_SECONDS = 8.0
AWAY_SECONDS = 60
TASKMANAGER_KILLS = 5


def nothing(experiment: Experiment) -> str:
    experiment.load(3)
    experiment.wait_for_flow()
    return "no fault, for comparison"


def producer_kill_keeping_the_log(experiment: Experiment) -> str:
    since = time.monotonic()
    pids = experiment.in_all_pipelines(_kill_and_restart_producer)
    experiment.wait_for_flow(since)
    return f"producers of pid {_pairs(pids)} after kill -9, same --log-dir"


def _kill_and_restart_producer(pipeline: Pipeline) -> tuple[int, int]:
    old = pipeline.producer.process
    old.kill()
    old.wait()
    pipeline.start_producer()
    return old.pid, pipeline.producer.process.pid


def producer_away(experiment: Experiment) -> str:
    """Meanwhile check the jobs' states every second: jobs with the resume source only wait."""
    experiment.in_all_pipelines(_kill_producer)
    seen: dict[str, set[str]] = {pipeline.mode.name: set() for pipeline in experiment.pipelines}
    for _ in range(AWAY_SECONDS):
        experiment.load(1)
        for pipeline in experiment.pipelines:
            seen[pipeline.mode.name].add(pipeline.job.state())
    for pipeline in experiment.pipelines:
        if pipeline.mode.resumes:
            assert seen[pipeline.mode.name] == {"RUNNING"}, (
                f"{pipeline.mode.name}: {seen[pipeline.mode.name]}"
            )
    since = time.monotonic()
    experiment.in_all_pipelines(lambda pipeline: pipeline.start_producer())
    experiment.wait_for_flow(since)
    states = "; ".join(f"{mode}: {', '.join(sorted(each))}" for mode, each in seen.items())
    return f"no producer for {AWAY_SECONDS} s, states of the jobs seen each second: {states}"


def producer_kill_losing_the_log(experiment: Experiment) -> str:
    """Audit the events of the first producer; then the job must read a second one, which has another log."""
    experiment.in_all_pipelines(_kill_producer)
    experiment.load(SETTLE_SECONDS)
    reports = experiment.in_all_pipelines(Pipeline.audit_by_seed)
    experiment.reports.update(zip(experiment.pipelines, reports, strict=True))
    gone = []
    for pipeline, report in experiment.reports.items():
        report["lost"] -= report["missing_at_end"]  # what the seed would have brought was never made
        # The ledger may lack the last second, and some of that second may have been delivered.
        report["produced"] = max(pipeline.produced(), report["distinct"] + report["lost"])
        gone.append(
            f"{pipeline.mode.name} {max(pipeline.produced() - report['distinct'] - report['lost'], 0)}"
        )
    since = time.monotonic()
    experiment.in_all_pipelines(_start_another_log)
    experiment.wait_for_flow(since)
    return f"a second producer with another log was picked up; made but read by nobody: {', '.join(gone)}"


def _kill_producer(pipeline: Pipeline) -> None:
    pipeline.producer.process.kill()
    pipeline.producer.process.wait()


def _start_another_log(pipeline: Pipeline) -> None:
    pipeline.load = replace(pipeline.load, seed=pipeline.load.seed + 1)
    pipeline.ledger = pipeline.folder / "second-ledger.ndjson"
    pipeline.start_producer()


def taskmanager_kills(experiment: Experiment) -> str:
    proofs = []
    for _ in range(TASKMANAGER_KILLS):
        proofs.append(one_taskmanager_kill(experiment))
        experiment.load(CHECKPOINT_SECONDS + 1)
    return f"{'; '.join(proofs)}; restarts {experiment.restarts()}"


def one_taskmanager_kill(experiment: Experiment) -> str:
    url, since = experiment.running.stack.flink_url, time.monotonic()
    before = flink_rest.taskmanager_ids(url)
    killed = experiment.kill("taskmanager-1")
    started = experiment.revived("taskmanager-1")
    wait_until(lambda: flink_rest.taskmanager_ids(url) - before, "the new TaskManager is registered")
    experiment.slotless += time.monotonic() - since
    experiment.wait_for_flow(since)
    return f"TaskManager {killed} → {started}"


def taskmanager_pause_short(experiment: Experiment) -> str:
    return _pause(experiment, "taskmanager-1", 5)


def taskmanager_pause_long(experiment: Experiment) -> str:
    before = experiment.restarts()
    process = experiment.stop("taskmanager-1")
    experiment.load(20)
    for pipeline in experiment.pipelines:
        wait_until(lambda pipeline=pipeline: not pipeline.job.tasks_running(), "the JobManager notices")
    process.resume()
    # Its old tasks still run for a moment after it wakes up: what they write is no recovery.
    experiment.wait_for_flow(first=lambda pipeline: pipeline.job.wait_until_running(RECOVERY_LIMIT))
    after = experiment.restarted_since(before)
    return (
        f"TaskManager (pid {process.pid}) stopped for 20 s; missed after heartbeat.timeout, restarts {after}"
    )


def broker_pause(experiment: Experiment) -> str:
    return _pause(experiment, "kafka-1", 20)


def _pause(experiment: Experiment, name: str, seconds: float) -> str:
    process = experiment.stop(name)
    experiment.load(seconds)
    status = process.status()
    assert status == psutil.STATUS_STOPPED, f"{name} is {status}"
    process.resume()
    experiment.wait_for_flow()
    return f"{name} (pid {process.pid}) was {status} for {seconds:.0f} s"


def broker_kill(experiment: Experiment) -> str:
    return _broker_away(experiment, 30)


def broker_away(experiment: Experiment) -> str:
    """Longer than Kafka's own max.block.ms (60 s), shorter than the time that the job promises to wait."""
    return _broker_away(experiment, 90)


def broker_away_too_long(experiment: Experiment) -> str:
    before = experiment.restarts()
    proof = _broker_away(experiment, AWAY_SECONDS)
    experiment.restarted_since(before)
    return f"{proof}; delivery.timeout.ms 10 s: restarts {experiment.restarts()}"


def leader_kill(experiment: Experiment) -> str:
    """The two other replicas are in sync, so writing goes on while the leader is away."""
    number = experiment.pipelines[0].arrivals.leaders()[0]
    led = sum(_led_by(number, experiment).values())
    since = time.monotonic()
    killed = experiment.kill(broker.name(number))
    experiment.wait_for_flow(since)
    wait_until(lambda: not any(_led_by(number, experiment).values()), "others lead all partitions")
    experiment.load(5)
    started = experiment.start_broker(number)
    experiment.load(5)
    experiment.wait_for_flow()
    return f"broker {number}, leader of {led} partitions, killed; others lead; pid {killed} → {started}"


def _led_by(number: int, experiment: Experiment) -> dict[str, int]:
    """How many partitions of each pipeline's topic this broker leads."""
    return {
        pipeline.mode.name: list(pipeline.arrivals.leaders().values()).count(number)
        for pipeline in experiment.pipelines
    }


def _broker_away(experiment: Experiment, seconds: float) -> str:
    killed = experiment.kill("kafka-1")
    experiment.load(seconds)
    since = time.monotonic()
    started = experiment.start_broker()
    experiment.wait_for_flow(since)
    return f"broker killed, {seconds:.0f} s later pid {killed} → {started}"


def jobmanager_kill(experiment: Experiment) -> str:
    """Without ZooKeeper or Kubernetes, the jobs end with it; each continues from its newest checkpoint."""
    stack, since = experiment.running.stack, time.monotonic()
    killed = experiment.kill("jobmanager")
    newest_of = {
        each: newest(stack.checkpoints, stack.savepoints, [each.job.job_id]) for each in experiment.pipelines
    }
    points = {pipeline: point for pipeline, point in newest_of.items() if point}
    assert points.keys() == newest_of.keys(), f"a pipeline has no checkpoint: {newest_of}"
    daemon = cluster.start_jobmanager(stack)
    wait_until(lambda: flink_rest.taskmanagers(stack.flink_url), "the TaskManager is back")
    experiment.wait_for_flow(since, first=lambda pipeline: pipeline.submit("-s", str(points[pipeline])))
    names = ", ".join(sorted(point.name for point in points.values()))
    return f"JobManager of pid {killed} → {daemon.pid}, jobs resubmitted from {names}"


def _pairs(pids: list[tuple[int, int]]) -> str:
    return ", ".join(f"{old} → {new}" for old, new in pids)


def everything_in_turn(experiment: Experiment) -> str:
    faults = (one_taskmanager_kill, one_reset, producer_kill_keeping_the_log)
    return "; ".join(fault(experiment) for fault in faults)
