"""Faults of what is around the processes: the disk under the checkpoints, the clock."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from faults.lane import Lane
from faults.situation import Situation

from producer.protocol import ResumeAnswer, ResumeRequest


def checkpoints_read_only(situation: Situation) -> str:
    folder, before = situation.running.stack.checkpoints, _failed_checkpoints(situation)
    assert folder.is_mount(), f"{folder.name} has no disk of its own"
    remount(folder, "ro")
    try:
        assert _refuses_writes(folder), "the folder still takes files"
        situation.load(12)
    finally:
        remount(folder, "rw")
    situation.wait_for_flow()
    return f"{folder.name} mounted read-only for 12 s; {_failures_since(before, situation)}"


def checkpoints_full(situation: Situation) -> str:
    folder, before = situation.running.stack.checkpoints, _failed_checkpoints(situation)
    assert folder.is_mount(), f"{folder.name} has no disk of its own"
    ballast = folder / "ballast"
    try:
        _fill(ballast)
        situation.load(12)
    finally:
        ballast.unlink()
    situation.wait_for_flow()
    return f"no byte free under {folder.name} for 12 s; {_failures_since(before, situation)}"


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


def _failed_checkpoints(situation: Situation) -> dict[str, int]:
    def failed(lane: Lane) -> int:
        return int(situation.running.rest(f"/jobs/{lane.job.job_id}/checkpoints")["counts"]["failed"])

    return {lane.mode.name: failed(lane) for lane in situation.lanes}


def _failures_since(before: dict[str, int], situation: Situation) -> str:
    found = {mode: count - before[mode] for mode, count in _failed_checkpoints(situation).items()}
    assert all(count > 0 for count in found.values()), f"no checkpoint failed: {found}"
    return f"failed checkpoints {found}"


def clock_jump(situation: Situation) -> str:
    """The broker would refuse records from so far ahead; the bridge must have put them aside."""
    seen = []
    for offset, seconds in (("+2h", 8), ("-2h", 4), ("+0", 3)):
        for lane in situation.lanes:
            (lane.folder / "clock").write_text(f"{offset}\n")
        situation.load(seconds)
        ahead = [_hours_ahead(lane.producer_port) for lane in situation.lanes]
        assert len(set(ahead)) == 1, f"{offset}: the clocks of the producers are ahead by {ahead} h"
        seen.append(ahead[0])
    assert seen == [2, -2, 0], f"hours that the producers' clocks were ahead: {seen}"
    situation.wait_for_flow()
    aside = {lane.mode.name: lane.rejected() for lane in situation.lanes}
    assert all(count > 0 for count in aside.values()), f"no event came from the future: {aside}"
    return "events were 2 h ahead for 8 s, 2 h back for 4 s, then right; every mode rejected some"


def _hours_ahead(port: int) -> int:
    """Of the next event that is made."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, client.makefile("rb") as lines:
        client.sendall(ResumeRequest(None, "latest").encode())
        assert ResumeAnswer.decode(lines.readline()).status == "ok"
        event = json.loads(lines.readline())
    made = datetime.fromisoformat(event["timestamp"][:19]).replace(tzinfo=timezone.utc)
    return round((made - datetime.now(timezone.utc)).total_seconds() / 3600)
