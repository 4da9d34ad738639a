"""Faults of what is around the processes: the disk under the checkpoints, the clock."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from faults.situation import Situation


def checkpoints_read_only(situation: Situation) -> str:
    folder = situation.running.stack.checkpoints
    remount(folder, "ro")
    try:
        assert _refuses_writes(folder), "the folder still takes files"
        situation.load(12)
    finally:
        remount(folder, "rw")
    situation.wait_for_flow()
    return f"{folder.name} mounted read-only for 12 s; failed checkpoints {_failed_checkpoints(situation)}"


def checkpoints_full(situation: Situation) -> str:
    folder = situation.running.stack.checkpoints
    ballast = folder / "ballast"
    try:
        _fill(ballast)
        situation.load(12)
    finally:
        ballast.unlink()
    situation.wait_for_flow()
    return f"no byte free under {folder.name} for 12 s; failed checkpoints {_failed_checkpoints(situation)}"


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
        except OSError:
            return


def _failed_checkpoints(situation: Situation) -> dict[str, int]:
    counts = {}
    for lane in situation.lanes:
        counts[lane.mode.name] = situation.running.rest(f"/jobs/{lane.job.job_id}/checkpoints")["counts"][
            "failed"
        ]
    assert all(counts.values()), f"no checkpoint failed: {counts}"
    return counts


def clock_jump(situation: Situation) -> str:
    """The broker would refuse records from so far ahead; the bridge must have put them aside."""
    for offset, seconds in (("+2h", 8), ("-2h", 4), ("+0", 3)):
        for lane in situation.lanes:
            (lane.folder / "clock").write_text(f"{offset}\n")
        situation.load(seconds)
    situation.wait_for_flow()
    aside = {lane.mode.name: lane.rejected() for lane in situation.lanes}
    assert all(aside.values()), f"no event came from the future: {aside}"
    return "the producer's clock 2 h ahead for 8 s, 2 h back for 4 s, then right; every mode rejected some"
