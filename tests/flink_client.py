"""One `flink run` for many submissions: to start it takes much longer than to submit a job."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from local_stack.cluster import flink_run

PROGRAM = Path(__file__).with_name("submit_jobs.py")
_END = re.compile(r"done (\d+)\n")


class Answer(NamedTuple):
    """What a job.py printed, and its exit code."""

    code: int
    text: str


class FlinkClient:
    """Runs a job.py again and again, each time with its own options and variables."""

    def __init__(self, flink: Path, folder: Path, environment: Mapping[str, str]) -> None:
        fifo = folder / f"submissions-{time.monotonic_ns()}"
        os.mkfifo(fifo)
        self._requests = os.open(fifo, os.O_RDWR)  # does not wait for the reader
        self._process = subprocess.Popen(
            flink_run.command(PROGRAM, [str(fifo)], flink=flink),
            env={**os.environ, **environment}, cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def call(self, program: str, options: Sequence[str], variables: Mapping[str, str]) -> Answer:
        """The answer of `program`/job.py."""
        os.write(self._requests, json.dumps([program, options, dict(variables)]).encode() + b"\n")
        assert self._process.stdout is not None
        told = ""
        while line := self._process.stdout.readline():
            if end := _END.fullmatch(line):
                return Answer(int(end[1]), told)
            told += line
        raise AssertionError(f"the client has ended: {told}")

    def close(self) -> None:
        os.close(self._requests)  # the end of what it reads
        with self._process:
            self._process.communicate()
