"""The matrix: every fault that goes through the bridge, as data."""

from __future__ import annotations

import os
from pathlib import Path

from faults import machine_faults, namespace, network_faults, process_faults
from faults.fault import Fault

RESUMING = ("plain-resume", "auto", "exactly-once")
LOG_DIR = ("--log-dir", "{folder}/log")
SHORT_TIMEOUT = (
    "--kafka-property", "delivery.timeout.ms=10000", "--kafka-property", "request.timeout.ms=4000",
)  # fmt: skip
_FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
_MOVED_CLOCK = (
    ("LD_PRELOAD", str(_FAKETIME)),
    ("FAKETIME_TIMESTAMP_FILE", "{folder}/clock"),
    ("FAKETIME_NO_CACHE", "1"),
    ("DONT_FAKE_MONOTONIC", "1"),
)


def _no_faketime() -> str:
    return "" if _FAKETIME else "libfaketime is not installed (Debian: apt-get install faketime)"


def _no_root() -> str:
    return "" if os.geteuid() == 0 else "only root may mount a small disk for the checkpoints"


MATRIX = (
    Fault("none", "no fault", process_faults.nothing, restarts=0),
    Fault(
        "fin-mid-line",
        "FIN in the middle of a line, after each of its bytes in turn",
        network_faults.fin_mid_line,
        # Of the minutes that this takes, --plain-resume reads little before the last cut.
        producer=("--retain-bytes", str(2 * 2**30)),
    ),
    Fault("rst", "5 × RST", network_faults.resets),
    Fault(
        "producer-kill-log-dir",
        "producer kill -9, with --log-dir",
        process_faults.producer_kill_keeping_the_log,
        producer=LOG_DIR,
    ),
    Fault(
        "producer-kill",
        "producer kill -9, without --log-dir",
        process_faults.producer_kill_losing_the_log,
    ),
    Fault(
        "producer-away",
        f"producer away for {process_faults.AWAY_SECONDS} s",
        process_faults.producer_away,
        producer=LOG_DIR,
    ),
    Fault(
        "everything-in-turn",
        "TaskManager, connection and producer killed in turn",
        process_faults.everything_in_turn,
        producer=LOG_DIR,
    ),
    Fault(
        "taskmanager-kill",
        f"TaskManager {process_faults.TASKMANAGER_KILLS} × kill -9",
        process_faults.taskmanager_kills,
        restarts=process_faults.TASKMANAGER_KILLS,
    ),
    Fault(
        "taskmanager-kill-fast",
        f"TaskManager {process_faults.TASKMANAGER_KILLS} × kill -9, at 50,000 events/s",
        process_faults.taskmanager_kills,
        restarts=process_faults.TASKMANAGER_KILLS,
        # 58 MB/s: the log must hold what is made while nobody reads, the Kafka writer alone may hold 64 MiB.
        producer=("--retain-bytes", str(6 * 2**30)),
        rate=50_000,
    ),
    Fault(
        "taskmanager-stop-short",
        "TaskManager SIGSTOP 5 s (heartbeat.timeout 10 s)",
        process_faults.taskmanager_pause_short,
        restarts=0,
    ),
    Fault(
        "taskmanager-stop-long",
        "TaskManager SIGSTOP 20 s (heartbeat.timeout 10 s)",
        process_faults.taskmanager_pause_long,
    ),
    Fault("jobmanager-kill", "JobManager kill -9", process_faults.jobmanager_kill),
    Fault("broker-kill", "broker kill -9, back after 30 s", process_faults.broker_kill, restarts=0),
    Fault("broker-stop", "broker SIGSTOP 20 s", process_faults.broker_pause, restarts=0),
    Fault(
        "broker-away",
        "broker away for 90 s (delivery.timeout.ms is 120 s)",
        process_faults.broker_away,
        restarts=0,
    ),
    Fault(
        "broker-away-too-long",
        "broker away longer than delivery.timeout.ms",
        process_faults.broker_away_too_long,
        job=SHORT_TIMEOUT,
    ),
    Fault(
        "black-hole-producer",
        "network black hole 60 s, producer side",
        network_faults.producer_black_hole,
        restarts=0,
    ),
    Fault(
        "cable-pulled",
        "packets lost for 60 s, producer side",
        network_faults.cable_pulled,
        restarts=0,
        namespaced=True,
        missing=namespace.why_not,
    ),
    Fault(
        "black-hole-kafka",
        "network black hole 60 s, Kafka side",
        network_faults.kafka_black_hole,
        restarts=0,
    ),
    Fault(
        "leader-kill",
        "leader of a partition killed, 3 brokers",
        process_faults.leader_kill,
        brokers=3,
        restarts=0,
    ),
    Fault("slow-network", "latency, then a slow drip", network_faults.slow_network, restarts=0),
    Fault(
        "checkpoints-read-only",
        "checkpoint storage read-only 12 s",
        machine_faults.checkpoints_read_only,
        missing=_no_root,
    ),
    Fault(
        "checkpoints-full",
        "checkpoint storage full 12 s",
        machine_faults.checkpoints_full,
        missing=_no_root,
    ),
    Fault(
        "clock-jump",
        "the producer's clock jumps 2 h ahead and 2 h back",
        machine_faults.clock_jump,
        rejects=True,
        job=("--event-timestamps",),
        environment=_MOVED_CLOCK,
        missing=_no_faketime,
    ),
)
