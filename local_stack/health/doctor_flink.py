"""Checks of the running Flink cluster: its Python, its charset, the sockets that its jobs read."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from local_stack.health.jobs import read_jobs
from local_stack.health.warnings import CheckResult, of_job
from local_stack.layout import Stack
from toolkit import flink_rest

_VERSION = "import sys, pyflink.version as v; print(*sys.version_info[:2], v.__version__)"
_ENDPOINT = re.compile(r"([\w.-]+|\[[\da-f:]+\]):(\d+)")


def examine_flink(stack: Stack) -> list[CheckResult]:
    try:
        settings = {
            entry["key"]: entry["value"] for entry in flink_rest.get(stack.flink_url, "/jobmanager/config")
        }
        environment = flink_rest.get(stack.flink_url, "/jobmanager/environment")
        jobs = [job for job in read_jobs(stack.flink_url) if job.state in ("RUNNING", "RESTARTING")]
    except OSError as error:
        return [CheckResult(f"Flink does not answer: {error}", False, "win-event-stack logs jobmanager")]
    sockets = {endpoint for job in jobs for place in job.places for endpoint in endpoints(place.address)}
    warned = [each for job in jobs for each in of_job(job)]
    return [_python(settings), _charset(environment), *examine_sockets(sorted(sockets)), *warned]


def endpoints(text: str) -> list[tuple[str, int]]:
    """The HOST:PORT pairs in a text."""
    return [(host.strip("[]"), int(port)) for host, port in _ENDPOINT.findall(text)]


def examine_sockets(where: Iterable[tuple[str, int]]) -> list[CheckResult]:
    return [_socket(host, port) for host, port in where]


def _socket(host: str, port: int) -> CheckResult:
    remedy = f"start the server: win-event-producer --port {port}"
    try:
        socket.create_connection((host, port), 3).close()
    except OSError as error:
        return CheckResult(f"nothing to read at {host}:{port}: {error.strerror or error}", False, remedy)
    return CheckResult(f"{host}:{port} accepts connections", True)


def _python(settings: dict[str, str]) -> CheckResult:
    """Compare the client's Python, which pickles functions, with that of the workers.

    The minor version must be the same.
    """
    worker = settings.get("python.executable", "python")
    ours = " ".join(map(str, sys.version_info[:2]))
    remedy = f"set python.executable to a Python {ours.replace(' ', '.')} with this toolkit installed"
    try:
        result = subprocess.run(
            [worker, "-c", _VERSION], capture_output=True, text=True, check=False, timeout=60
        )
    except OSError as error:
        return CheckResult(f"the workers' Python {worker}: {error.strerror}", False, remedy)
    found = result.stdout.split()
    same = len(found) == 3 and " ".join(found[:2]) == ours
    told = (
        f"Python {'.'.join(found[:2])} with apache-flink {found[2]}"
        if same
        else "another Python or no pyflink"
    )
    return CheckResult(f"client and workers: {told}", same, remedy)


def _charset(environment: dict[str, Any]) -> CheckResult:
    """Check the JVM's default charset, with which Flink's socket source decodes."""
    jvm = environment["jvm"]
    major = re.search(r"(\d+)", str(jvm["version"]).rsplit("/", 1)[-1])
    utf8 = "-Dfile.encoding=UTF-8" in jvm["options"] or (major is not None and int(major[1]) >= 18)
    return CheckResult(
        "Flink decodes lines as UTF-8" if utf8 else "Flink decodes lines with the locale's charset",
        utf8,
        "add -Dfile.encoding=UTF-8 to env.java.opts.all",
    )
