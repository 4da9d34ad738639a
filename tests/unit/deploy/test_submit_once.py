"""deploy/flink/submit.sh submits a job only if Flink says that it does not run. A fake `flink` answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from running import BIN

from local_stack.layout import DEPLOY, REPOSITORY

pytestmark = pytest.mark.programs

NAME, JOB_ID = "win-event-bridge", "a" * 32
LISTED = "26.11.2026 10:00:00 : " + "b" * 32 + " : {name} ({state})"


def submit(folder: Path, list_command: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the script with a `flink list` of these shell commands; returns also what `flink` was asked."""
    calls, flink = folder / "calls", folder / "bin" / "flink"
    flink.parent.mkdir()
    flink.write_text(
        f"""#!/bin/sh
echo "$1" >> {calls}
if [ "$1" = list ]; then
    {list_command}
else
    echo 'Job has been submitted with JobID {JOB_ID}'
fi
"""
    )
    flink.chmod(0o755)
    environment = {
        "PATH": f"{flink.parent}:{BIN}:{os.environ['PATH']}",
        "FLINK_URL": "jobmanager:8081",
        "WIN_EVENT_JOB_NAME": NAME,
        "WIN_EVENT_PORT": "9999",
        "KAFKA_USERNAME": "bridge",
        "KAFKA_PASSWORD": "secret",
        "JOB_FILE": str(REPOSITORY / "flink_bridge" / "job.py"),
        "CHECKPOINT_DIR": str(folder),
    }
    script = ["/bin/sh", str(DEPLOY / "flink" / "submit.sh")]
    done = subprocess.run(
        script, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    return done, calls.read_text().split()


def listed(name: str, state: str) -> str:
    return f"echo '{LISTED.format(name=name, state=state)}'"


def test_nothing_is_submitted_if_flink_does_not_list_its_jobs(tmp_path: Path) -> None:
    done, calls = submit(tmp_path, "exit 1")
    assert (done.returncode, calls) == (1, ["list"])
    assert "jobmanager:8081 does not list its jobs" in done.stderr


def test_a_job_that_runs_or_waits_for_slots_is_not_submitted_again(tmp_path: Path) -> None:
    for state in ("RUNNING", "RESTARTING", "CREATED"):
        folder = tmp_path / state
        folder.mkdir()
        done, calls = submit(folder, listed(NAME, state))
        assert (done.returncode, calls, done.stdout) == (0, ["list"], f"{NAME} is running already\n")


def test_a_job_that_does_not_run_is_submitted_and_noted(tmp_path: Path) -> None:
    done, calls = submit(tmp_path, listed("another", "RUNNING"))
    assert (done.returncode, calls) == (0, ["list", "run"]), done.stderr
    assert (tmp_path / "jobs").read_text() == f"'{NAME}' ({JOB_ID})\n"
