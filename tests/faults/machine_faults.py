"""Faults of the machine: the disk of the checkpoints, the clock."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from faults.experiment import Experiment
from faults.pipeline import Pipeline

from producer.protocol import ResumeAnswer, ResumeRequest


def checkpoints_read_only(experiment: Experiment) -> str:
    folder, before = experiment.running.stack.checkpoints, _failed_checkpoints(experiment)
    assert folder.is_mount(), f"{folder.name} has no disk of its own"
    remount(folder, "ro")
    try:
        assert _refuses_writes(folder), "the folder still takes files"
        experiment.load(12)
    finally:
        remount(folder, "rw")
    experiment.wait_for_flow()
    return f"{folder.name} mounted read-only for 12 s; {_failures_since(before, experiment)}"


def checkpoints_full(experiment: Experiment) -> str:
    folder, before = experiment.running.stack.checkpoints, _failed_checkpoints(experiment)
    assert folder.is_mount(), f"{folder.name} has no disk of its own"
    ballast = folder / "ballast"
    try:
        _fill(ballast)
        experiment.load(12)
    finally:
        ballast.unlink()
    experiment.wait_for_flow()
    return f"no byte free under {folder.name} for 12 s; {_failures_since(before, experiment)}"


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True, capture_output=True)


def _refuses_writes(folder: Path) -> bool:
    try:
        (folder / "probe").write_bytes(b"x")
    except OSError:
        return True
    return False


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(65536))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def _failed_checkpoints(experiment: Experiment) -> dict[str, int]:
    def failed(pipeline: Pipeline) -> int:
        return int(experiment.running.rest(f"/jobs/{pipeline.job.job_id}/checkpoints")["counts"]["failed"])

    return {pipeline.mode.name: failed(pipeline) for pipeline in experiment.pipelines}


def _failures_since(before: dict[str, int], experiment: Experiment) -> str:
    found = {mode: count - before[mode] for mode, count in _failed_checkpoints(experiment).items()}
    assert all(count > 0 for count in found.values()), f"no checkpoint failed: {found}"
    return f"failed checkpoints {found}"


def clock_jump(experiment: Experiment) -> str:
    """The broker would refuse records so far in the future; the bridge must have rejected them."""
    seen = []
    for offset, seconds in (("+2h", 8), ("-2h", 4), ("+0", 3)):
        for pipeline in experiment.pipelines:
            (pipeline.folder / "clock").write_text(f"{offset}\n")
        experiment.load(seconds)
        ahead = [_hours_ahead(pipeline.producer_port) for pipeline in experiment.pipelines]
        assert len(set(ahead)) == 1, f"{offset}: the clocks of the producers are ahead by {ahead} h"
        seen.append(ahead[0])
    assert seen == [2, -2, 0], f"hours that the producers' clocks were ahead: {seen}"
    experiment.wait_for_flow()
    aside = {pipeline.mode.name: pipeline.rejected() for pipeline in experiment.pipelines}
    assert all(count > 0 for count in aside.values()), f"no event came from the future: {aside}"
    return "events were 2 h ahead for 8 s, 2 h back for 4 s, then right; every mode rejected some"


def _hours_ahead(port: int) -> int:
    """The time of the next event that is made."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client, client.makefile("rb") as lines:
        client.sendall(ResumeRequest(None, "latest").encode())
        assert ResumeAnswer.decode(lines.readline()).status == "ok"
        event = json.loads(lines.readline())
    made = datetime.fromisoformat(event["timestamp"][:19]).replace(tzinfo=timezone.utc)
    return round((made - datetime.now(timezone.utc)).total_seconds() / 3600)
