"""Facts about the Flink cluster, read where the job is submitted: its version and running jobs."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

_SECONDS = 3.0
_ENDED = ("FINISHED", "CANCELED", "FAILED")


def flink_version() -> str:
    version: str = get_gateway().jvm.org.apache.flink.runtime.util.EnvironmentInformation.getVersion()
    return version


def running_twins(name: str) -> list[str]:
    """Ids of jobs of this name on the session cluster that have not ended; none when it cannot be asked."""
    if (url := _rest_address()) is None:
        return []
    try:
        with urlopen(f"{url}/jobs/overview", timeout=_SECONDS) as answer:  # noqa: S310 - http
            jobs = json.loads(answer.read())["jobs"]
    except (URLError, OSError, ValueError, KeyError):
        return []  # submitting says why
    return [job["jid"] for job in jobs if job["name"] == name and job["state"] not in _ENDED]


def _rest_address() -> str | None:
    """Where the job goes, if that is a session cluster with an address of its own (`-t remote`)."""
    environment: Any = StreamExecutionEnvironment.get_execution_environment()
    configuration = environment._j_stream_execution_environment.getConfiguration()
    options: Any = get_gateway().jvm.org.apache.flink.configuration
    if configuration.get(options.DeploymentOptions.TARGET) != "remote":
        return None
    if configuration.get(options.SecurityOptions.SSL_REST_ENABLED):
        return None
    address = configuration.get(options.RestOptions.ADDRESS)
    return f"http://{address}:{configuration.get(options.RestOptions.PORT)}" if address else None
