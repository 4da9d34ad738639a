"""Submits a job with `flink run`: its user, its checkpoint, and whether it already runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kafka_setup.connection.listener import protocol_mismatch
from local_stack import processes, shell_environment
from local_stack.cluster import checkpoints, flink_run
from local_stack.layout import REPOSITORY, Stack
from local_stack.processes import StartError
from toolkit import flink_rest

# Programs for `submit`, by the names of their Kafka users; the default is the bridge.
PROGRAMS = {"bridge": "flink_bridge", "analytics": "analytics", "detection": "detection"}
# Lines that Flink adds to the error of the job: its own stack trace, without a reason.
_NOISE = re.compile(
    r"\s+at |\s*\.\.\. \d+ more|Caused by: |-{20,}|\s*The program finished with the following exception"
    r"|org\.apache\.flink\.client\.program\.|java\.lang\.RuntimeException: Python process exits"
    r"|WARNING: .*(sun\.misc\.Unsafe|restricted method|native.access)|\s*$"
)


class UsageError(StartError):
    """The options of the job cannot be used; the text is that of the job."""


@dataclass(frozen=True)
class Program:
    """A job.py, the user it runs as, and its options."""

    user: str
    file: Path
    options: tuple[str, ...]


def program(words: Sequence[str]) -> Program:
    """The program for the words of a command line: options of the bridge, or another program and its options.

    Raises UsageError.
    """
    named = bool(words) and words[0] in installed()
    if words and not named and not words[0].startswith("-"):
        programs = ", ".join(installed())
        raise UsageError(_usage(f"{words[0]!r} is none of {programs}, and no option of the bridge"))
    user = words[0] if named else "bridge"
    return Program(user, job_file(user), tuple(words[1:] if named else words))


def installed() -> list[str]:
    """The programs in this installation."""
    return [user for user in PROGRAMS if job_file(user).exists()]


def job_file(user: str) -> Path:
    return REPOSITORY / PROGRAMS[user] / "job.py"


def environment(stack: Stack, user: str) -> dict[str, str]:
    return {**os.environ, **shell_environment.exports(stack), **shell_environment.login(stack, user)}


def describe(stack: Stack, wanted: Program) -> checkpoints.Job:
    """The job's description of itself, without starting a JVM. Raises UsageError."""
    command = [sys.executable, str(wanted.file), *wanted.options, "--describe"]
    answer = subprocess.run(
        command, env=environment(stack, wanted.user), capture_output=True, text=True, check=False
    )
    try:
        return checkpoints.Job.described(answer.stdout)
    except (ValueError, KeyError):
        said = (answer.stderr or answer.stdout).strip()
        raise UsageError(_usage(said.rpartition("\nError: ")[2])) from None


def _usage(text: str) -> str:
    """The text in click's form, with the command that the user typed: the job calls itself job.py."""
    return f"Try 'win-event-stack submit --help' for help.\n\nError: {text}"


def check_listener(job: checkpoints.Job) -> None:
    """Raises StartError if only one of the job and its brokers uses TLS, before a JVM is started."""
    if mismatch := job.listener and protocol_mismatch(*job.listener):
        raise StartError(mismatch)


def running(stack: Stack, name: str) -> list[str]:
    """Ids of the running jobs of this name. Raises StartError if there is no cluster."""
    try:
        jobs = flink_rest.jobs(stack.flink_url)
    except OSError:
        raise StartError(
            f"no Flink cluster answers on {stack.flink_url}. First: win-event-stack up"
        ) from None
    return [str(job["jid"]) for job in jobs if job["name"] == name and job["state"] not in flink_rest.ENDED]


def from_newest(stack: Stack, job: checkpoints.Job) -> checkpoints.Start:
    """Continue from the newest checkpoint or savepoint of a job of this name. Raises StartError."""
    ids = checkpoints.job_ids(_submissions(stack), job.name)
    folder = checkpoints.newest(stack.checkpoints, stack.savepoints, ids)
    if folder is None:
        raise StartError(
            f"there is no complete checkpoint or savepoint of a job named {job.name!r}. Jobs are found by "
            "name: give --job-name as before, or leave --from-checkpoint out"
        )
    return checkpoints.start(job, folder, time.time())


def _submissions(stack: Stack) -> Iterator[str]:
    """Every submission in the logs of this stack's JobManagers."""
    log = stack.logs / "jobmanager.log"
    if log.exists():
        with log.open(encoding="utf-8", errors="replace") as lines:
            yield from (line for line in lines if "submission" in line)


def submit(stack: Stack, wanted: Program, start: Sequence[str]) -> Iterator[str]:
    """Run `flink run --detached`; yields what the job and Flink print, without Flink's stack traces.

    Raises StartError if the cluster did not accept the job.
    """
    command = flink_run.command(wanted.file, wanted.options, start, flink=stack.bin / "flink")
    taken = told = False
    with subprocess.Popen(
        command,
        env=environment(stack, wanted.user),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as client:
        assert client.stdout is not None  # noqa: S101 - it is PIPE
        for line in client.stdout:
            taken = taken or flink_run.job_id(line) is not None
            told = told or line.lower().startswith("error:")
            if not (told and _NOISE.match(line)):
                yield line.rstrip("\n")
    if not taken or client.returncode:
        raise StartError(f"{wanted.user} was not submitted (flink run: exit {client.returncode})")


def is_up(stack: Stack) -> bool:
    return processes.running(stack, "jobmanager") is not None
