"""A container submits a job only if Flink says that it does not run. A fake `flink` answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from containers import load_compose
from running import BIN

from local_stack.cluster.checkpoints import Job
from local_stack.cluster.submit_once import from_newest
from local_stack.layout import REPOSITORY

NAME, JOB_ID, OTHER = "win-event-bridge", "a" * 32, "c" * 32
MASTER, JOB_FILE = "jobmanager:8081", str(REPOSITORY / "flink_bridge" / "job.py")
LISTED = "26.11.2026 10:00:00 : " + "b" * 32 + " : {name} ({state})"
LIST, RUN = f"list -m {MASTER}", f"run -d -m {MASTER} -py {JOB_FILE}"


def submit(
    folder: Path,
    list_command: str,
    run_command: str = f"echo 'submitted with JobID {JOB_ID}'",
    port: str = "9999",
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the command of the service with a `flink` of these shell commands; also what `flink` was asked."""
    calls, flink = folder / "calls", folder / "bin" / "flink"
    flink.parent.mkdir()
    flink.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\n'
        f'if [ "$1" = list ]; then\n{list_command}\nelse\n{run_command}\nfi\n'
    )
    flink.chmod(0o755)
    environment = {
        "PATH": f"{flink.parent}:{BIN}:{os.environ['PATH']}",
        "FLINK_URL": MASTER,
        "WIN_EVENT_JOB_NAME": NAME,
        "WIN_EVENT_PORT": port,
        "KAFKA_USERNAME": "bridge",
        "KAFKA_PASSWORD": "secret",
        "JOB_FILE": JOB_FILE,
        "CHECKPOINT_DIR": str(folder),
    }
    command = load_compose()["services"]["bridge-submit"]["command"]
    done = subprocess.run(
        command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    return done, calls.read_text().splitlines()


def listed(name: str, state: str) -> str:
    return f"echo '{LISTED.format(name=name, state=state)}'"


def savepoint_of(folder: Path, job_id: str) -> Path:
    """A savepoint with the position in p:9999."""
    savepoint = folder / "savepoints" / f"savepoint-{job_id[:6]}-0"
    savepoint.mkdir(parents=True)
    (savepoint / "_metadata").write_bytes(b"\0\x0bread p:9999")
    return savepoint


@pytest.mark.programs
def test_nothing_is_submitted_if_flink_does_not_list_its_jobs(tmp_path: Path) -> None:
    done, calls = submit(tmp_path, "exit 3")
    assert (done.returncode, calls) == (1, [LIST])
    assert done.stderr == f"{MASTER} does not list its jobs: nothing is submitted\n"


@pytest.mark.programs
def test_a_job_that_runs_or_waits_for_slots_is_not_submitted_again(tmp_path: Path) -> None:
    for state in ("RUNNING", "RESTARTING", "CREATED"):
        folder = tmp_path / state
        folder.mkdir()
        done, calls = submit(folder, listed(NAME, state))
        assert (done.returncode, calls, done.stdout) == (0, [LIST], f"{NAME} is running already\n")


@pytest.mark.programs
def test_a_job_that_does_not_run_is_submitted_and_noted(tmp_path: Path) -> None:
    done, calls = submit(tmp_path, listed(f"{NAME} of another", "RUNNING"))
    assert (done.returncode, calls) == (0, [LIST, RUN]), done.stderr
    assert done.stdout == f"submitted with JobID {JOB_ID}\n"
    assert f"{NAME} starts from the beginning" in done.stderr
    assert (tmp_path / "jobs").read_text() == f"'{NAME}' ({JOB_ID})\n"


@pytest.mark.programs
def test_it_continues_from_the_newest_savepoint_and_a_refusal_is_told(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text(f"'{NAME}' ({OTHER})\n")
    savepoint = savepoint_of(tmp_path, OTHER)
    done, calls = submit(tmp_path, "true", "echo 'no slots'; exit 31")
    start = f"-s {savepoint.as_uri()} --allowNonRestoredState"
    assert calls == [LIST, RUN.replace("-py", f"{start} -py")]
    assert (done.returncode, done.stdout) == (31, "no slots\n")
    assert f"{NAME} continues from {savepoint}" in done.stderr
    assert (tmp_path / "jobs").read_text() == f"'{NAME}' ({OTHER})\n"


@pytest.mark.programs
def test_nothing_is_submitted_if_the_job_refuses_its_variables(tmp_path: Path) -> None:
    done, calls = submit(tmp_path, "true", port="none")
    assert (done.returncode, calls) == (2, [LIST])
    assert "none" in done.stderr


def test_only_jobs_of_this_name_in_the_records_count(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text(f"'mine' ({JOB_ID})\n'other' ({OTHER})\n")
    savepoint = savepoint_of(tmp_path, JOB_ID)
    newer = tmp_path / OTHER / "chk-9"
    newer.mkdir(parents=True)
    (newer / "_metadata").touch()
    found = from_newest(Job("mine"), tmp_path)
    assert found.options == ["-s", savepoint.as_uri(), "--allowNonRestoredState"]
    assert any(remark.startswith("not kept: the position in p:9999") for remark in found.remarks)
    fresh = from_newest(Job("new"), tmp_path)
    assert (fresh.options, fresh.remarks) == (
        [],
        ["new starts from the beginning: no checkpoint or savepoint of a job with this name"],
    )
