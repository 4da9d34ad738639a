"""Finds what a job can go on from after its JobManager died: its newest checkpoint that is complete."""

from __future__ import annotations

from pathlib import Path

from local_stack.layout import Stack
from local_stack.processes import StartError


def newest_checkpoint(stack: Stack, job_id: str = "*") -> Path:
    """The folder for `flink run -s`: of one job, or of all that ever ran here. Raises StartError."""
    complete = [path.parent for path in stack.checkpoints.glob(f"{job_id}/chk-*/_metadata")]
    if not complete:
        raise StartError(f"there is no complete checkpoint in {stack.checkpoints} to go on from")
    # Flink writes _metadata last; a checkpoint without it was interrupted.
    return max(complete, key=lambda folder: (folder / "_metadata").stat().st_mtime_ns)
