"""Processes killed and stopped: TaskManager, JobManager, broker, producer."""

from __future__ import annotations

import time
from dataclasses import replace

import psutil
from faults.lane import CHECKPOINT_SECONDS, Lane
from faults.network_strikes import one_reset
from faults.situation import RECOVERY_LIMIT, Situation
from running import wait_until

from local_stack.broker import broker
from local_stack.cluster import cluster
from local_stack.cluster import rest as flink_rest
from local_stack.cluster.checkpoints import newest_checkpoint

SETTLE_SECONDS = 8.0
AWAY_SECONDS = 60
TASKMANAGER_KILLS = 5


def nothing(situation: Situation) -> str:
    situation.load(3)
    situation.wait_for_flow()
    return "no fault: the yardstick"


def producer_kill_keeping_the_log(situation: Situation) -> str:
    since = time.monotonic()
    pids = situation.in_all_lanes(_kill_and_restart_producer)
    situation.wait_for_flow(since)
    return f"producers of pid {_pairs(pids)} after kill -9, same --log-dir"


def _kill_and_restart_producer(lane: Lane) -> tuple[int, int]:
    old = lane.producer.process
    old.kill()
    old.wait()
    lane.start_producer()
    return old.pid, lane.producer.process.pid


def producer_away(situation: Situation) -> str:
    """The jobs' states are looked at each second meanwhile: those with the resume source only wait."""
    situation.in_all_lanes(_kill_producer)
    seen: dict[str, set[str]] = {lane.mode.name: set() for lane in situation.lanes}
    for _ in range(AWAY_SECONDS):
        situation.load(1)
        for lane in situation.lanes:
            seen[lane.mode.name].add(lane.job.state())
    for lane in situation.lanes:
        if lane.mode.resumes:
            assert seen[lane.mode.name] == {"RUNNING"}, f"{lane.mode.name}: {seen[lane.mode.name]}"
    since = time.monotonic()
    situation.in_all_lanes(lambda lane: lane.start_producer())
    situation.wait_for_flow(since)
    states = "; ".join(f"{mode}: {', '.join(sorted(each))}" for mode, each in seen.items())
    return f"no producer for {AWAY_SECONDS} s, states of the jobs seen each second: {states}"


def producer_kill_losing_the_log(situation: Situation) -> str:
    """Audits what the first producer left behind; a second one, with another log, must be picked up."""
    situation.in_all_lanes(_kill_producer)
    situation.load(SETTLE_SECONDS)
    reports = situation.in_all_lanes(Lane.audit_by_seed)
    situation.reports.update(zip(situation.lanes, reports, strict=True))
    gone = []
    for lane, report in situation.reports.items():
        report["unseen"] = 0  # of the events that the seed would have brought, most were never made
        # The ledger may lack the last second, and some of that second may have been delivered.
        report["produced"] = max(lane.produced(), report["distinct"] + report["lost"])
        gone.append(f"{lane.mode.name} {max(lane.produced() - report['distinct'] - report['lost'], 0)}")
    since = time.monotonic()
    situation.in_all_lanes(_start_another_log)
    situation.wait_for_flow(since)
    return f"a second producer with another log was picked up; made but read by nobody: {', '.join(gone)}"


def _kill_producer(lane: Lane) -> None:
    lane.producer.process.kill()
    lane.producer.process.wait()


def _start_another_log(lane: Lane) -> None:
    lane.load = replace(lane.load, seed=lane.load.seed + 1)
    lane.ledger = lane.folder / "second-ledger.ndjson"
    lane.start_producer()


def taskmanager_kills(situation: Situation) -> str:
    proofs = []
    for _ in range(TASKMANAGER_KILLS):
        proofs.append(one_taskmanager_kill(situation))
        situation.load(CHECKPOINT_SECONDS + 1)
    return f"{'; '.join(proofs)}; restarts {situation.restarts()}"


def one_taskmanager_kill(situation: Situation) -> str:
    url, since = situation.running.stack.flink_url, time.monotonic()
    before = flink_rest.taskmanager_ids(url)
    killed = situation.kill("taskmanager-1")
    started = situation.revived("taskmanager-1")
    wait_until(lambda: flink_rest.taskmanager_ids(url) - before, "the new TaskManager is registered", 90)
    situation.slotless += time.monotonic() - since
    situation.wait_for_flow(since)
    return f"TaskManager {killed} → {started}"


def taskmanager_pause_short(situation: Situation) -> str:
    return _pause(situation, "taskmanager-1", 5)


def taskmanager_pause_long(situation: Situation) -> str:
    before = situation.restarts()
    process = situation.stop("taskmanager-1")
    situation.load(20)
    for lane in situation.lanes:
        wait_until(lambda lane=lane: not lane.job.tasks_running(), "the JobManager notices", 60)
    process.resume()
    # Its old tasks still run for a moment after it wakes up: what they write is no recovery.
    situation.wait_for_flow(first=lambda lane: lane.job.wait_until_running(RECOVERY_LIMIT))
    after = situation.restarted_since(before)
    return (
        f"TaskManager (pid {process.pid}) stopped for 20 s; missed after heartbeat.timeout, restarts {after}"
    )


def broker_pause(situation: Situation) -> str:
    return _pause(situation, "kafka-1", 20)


def _pause(situation: Situation, name: str, seconds: float) -> str:
    process = situation.stop(name)
    situation.load(seconds)
    status = process.status()
    assert status == psutil.STATUS_STOPPED, f"{name} is {status}"
    process.resume()
    situation.wait_for_flow()
    return f"{name} (pid {process.pid}) was {status} for {seconds:.0f} s"


def broker_kill(situation: Situation) -> str:
    return _broker_away(situation, 30)


def broker_away(situation: Situation) -> str:
    """Longer than Kafka's own max.block.ms (60 s), shorter than the time that the job promises to wait."""
    return _broker_away(situation, 90)


def broker_away_too_long(situation: Situation) -> str:
    before = situation.restarts()
    proof = _broker_away(situation, AWAY_SECONDS)
    situation.restarted_since(before)
    return f"{proof}; delivery.timeout.ms 10 s: restarts {situation.restarts()}"


def leader_kill(situation: Situation) -> str:
    """The two other replicas are in sync, so writing goes on while the leader is away."""
    number = situation.lanes[0].arrivals.leaders()[0]
    led = sum(_led_by(number, situation).values())
    since = time.monotonic()
    killed = situation.kill(broker.name(number))
    situation.wait_for_flow(since)
    wait_until(lambda: not any(_led_by(number, situation).values()), "others lead all partitions", 60)
    situation.load(5)
    started = situation.start_broker(number)
    situation.load(5)
    situation.wait_for_flow()
    return f"broker {number}, leader of {led} partitions, killed; others lead; pid {killed} → {started}"


def _led_by(number: int, situation: Situation) -> dict[str, int]:
    """How many partitions of each lane's topic this broker leads."""
    return {lane.mode.name: list(lane.arrivals.leaders().values()).count(number) for lane in situation.lanes}


def _broker_away(situation: Situation, seconds: float) -> str:
    killed = situation.kill("kafka-1")
    situation.load(seconds)
    since = time.monotonic()
    started = situation.start_broker()
    situation.wait_for_flow(since)
    return f"broker killed, {seconds:.0f} s later pid {killed} → {started}"


def jobmanager_kill(situation: Situation) -> str:
    """Without ZooKeeper or Kubernetes the jobs die with it; each goes on from its newest checkpoint."""
    stack, since = situation.running.stack, time.monotonic()
    killed = situation.kill("jobmanager")
    points = {lane: newest_checkpoint(stack, lane.job.job_id) for lane in situation.lanes}
    daemon = cluster.start_jobmanager(stack)
    wait_until(lambda: flink_rest.taskmanagers(stack.flink_url), "the TaskManager is back", 60)
    situation.wait_for_flow(since, first=lambda lane: lane.submit("-s", str(points[lane])))
    names = ", ".join(sorted(point.name for point in points.values()))
    return f"JobManager of pid {killed} → {daemon.pid}, jobs resubmitted from {names}"


def _pairs(pids: list[tuple[int, int]]) -> str:
    return ", ".join(f"{old} → {new}" for old, new in pids)


def everything_in_turn(situation: Situation) -> str:
    faults = (one_taskmanager_kill, one_reset, producer_kill_keeping_the_log)
    return "; ".join(fault(situation) for fault in faults)
