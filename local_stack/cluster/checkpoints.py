"""Finds where a job can continue: its newest complete checkpoint or savepoint, by the job's name.

It needs only Python, because the image of the containers has this file, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# An operator of the bridge that has a position stores it under this name in every _metadata file.
_POSITION = re.compile(rb"read ((?:[\w.-]+|\[[\da-fA-F:.]+\]):\d+)")


@dataclass(frozen=True)
class Job:
    """A job as it describes itself.

    `positions`: the endpoints (HOST:PORT) whose position in the log the job stores in its state. `listener`:
    the job's bootstrap servers and security protocol; None if they are not to be checked.
    """

    name: str
    positions: frozenset[str] = frozenset()
    listener: tuple[str, str] | None = None

    @classmethod
    def described(cls, text: str) -> Job:
        """The job from the output of `job.py --describe`. Raises ValueError."""
        values: dict[str, Any] = json.loads(text)
        listener = values.get("listener")
        return cls(
            str(values["name"]),
            frozenset(values.get("positions", ())),
            (listener["bootstrap_servers"], listener["security_protocol"]) if listener else None,
        )


@dataclass(frozen=True)
class Start:
    """Where a job begins: options for `flink run`, and remarks that explain them."""

    options: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def job_ids(lines: Iterable[str], name: str) -> set[str]:
    """Ids of the jobs of this name: 'NAME' (ID), as Flink's JobManager logs a submission."""
    submitted = re.compile(rf"'{re.escape(name)}' \(([0-9a-f]{{32}})\)")
    return {match[1] for line in lines if (match := submitted.search(line))}


def newest(checkpoints: Path, savepoints: Path, ids: Collection[str]) -> Path | None:
    """The folder for `flink run -s` of these jobs; None if there is no checkpoint or savepoint."""
    complete = [path for each in ids for path in checkpoints.glob(f"{each}/chk-*/_metadata")]
    # The name of a savepoint has the first letters of its job's id.
    complete += [path for each in ids for path in savepoints.glob(f"savepoint-{each[:6]}-*/_metadata")]
    # Flink writes _metadata last; one without it was interrupted.
    return max(complete, key=lambda file: file.stat().st_mtime_ns).parent if complete else None


def positions(folder: Path) -> frozenset[str]:
    """The endpoints (HOST:PORT) whose position is in a checkpoint or savepoint."""
    return frozenset(found.decode() for found in _POSITION.findall((folder / "_metadata").read_bytes()))


def start(job: Job, folder: Path, now: float) -> Start:
    """Continue from there, with the state that this job can keep. `now` is in seconds since the epoch."""
    held = positions(folder)
    age = now - (folder / "_metadata").stat().st_mtime
    remarks = [f"{job.name} continues from {folder}, {_told(age)} old"]
    options = ["-s", folder.resolve().as_uri()]
    if kept := sorted(held & job.positions):
        remarks.append(f"kept: the position in {', '.join(kept)}")
    if fresh := sorted(job.positions - held):
        remarks.append(f"no position in it for {', '.join(fresh)}: --start-from decides")
    if left := sorted(held - job.positions):
        options.append("--allowNonRestoredState")
        remarks.append(
            f"not kept: the position in {', '.join(left)}, as this job does not read there from a position "
            "(--allowNonRestoredState)"
        )
    return Start(options, remarks)


def _told(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
