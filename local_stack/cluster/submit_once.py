"""Submits a job from a container: not if it runs already, and from its newest checkpoint or savepoint.

`python -m local_stack.cluster.submit_once` takes everything from the environment: FLINK_URL (HOST:PORT of
the JobManager's REST API), CHECKPOINT_DIR, JOB_FILE (a job.py), WIN_EVENT_JOB_NAME and the other variables of
that job. It needs only Python, and `flink` on the PATH.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from local_stack.cluster import flink_run
from local_stack.cluster.checkpoints import Job, Start, job_ids, newest, start

# In the folder of the checkpoints: name and id of every job, because Flink does not keep them there.
RECORDS = "jobs"


def submit_once(environment: Mapping[str, str]) -> int:
    """Submit the job unless it runs; the exit code. Raises KeyError if a variable is missing."""
    master, name = environment["FLINK_URL"], environment["WIN_EVENT_JOB_NAME"]
    listed = _answer("flink", "list", "-m", master)  # running and scheduled jobs
    if listed.returncode:
        # The job may run. Submitted twice, it writes every event twice.
        sys.stderr.write(f"{master} does not list its jobs: nothing is submitted\n")
        return 1
    if f" : {name} (" in listed.stdout:
        sys.stdout.write(f"{name} is running already\n")
        return 0
    return _submit(master, name, environment["JOB_FILE"], Path(environment["CHECKPOINT_DIR"]))


def _submit(master: str, name: str, file: str, checkpoints: Path) -> int:
    described = _answer(sys.executable, file, "--describe")
    if described.returncode:
        return described.returncode
    found = from_newest(Job.described(described.stdout), checkpoints)
    sys.stderr.write("".join(f"{line}\n" for line in found.remarks))
    answer = _answer(*flink_run.command(file, start=found.options, master=master))
    sys.stdout.write(answer.stdout)
    if identity := flink_run.job_id(answer.stdout):
        with (checkpoints / RECORDS).open("a", encoding="utf-8") as records:
            records.write(f"'{name}' ({identity})\n")
    return answer.returncode


def from_newest(job: Job, checkpoints: Path) -> Start:
    """Continue from the newest checkpoint or savepoint of a recorded job of this name, if there is one."""
    records = checkpoints / RECORDS
    lines = records.read_text(encoding="utf-8").splitlines() if records.exists() else []
    folder = newest(checkpoints, checkpoints / "savepoints", job_ids(lines, job.name))
    if folder is None:
        nothing = "no checkpoint or savepoint of a job with this name"
        return Start(remarks=[f"{job.name} starts from the beginning: {nothing}"])
    return start(job, folder, time.time())


def _answer(*command: str) -> subprocess.CompletedProcess[str]:
    """What a command prints to stdout; its stderr is ours."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, errors="replace", check=False)


if __name__ == "__main__":
    sys.exit(submit_once(os.environ))
