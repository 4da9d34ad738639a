"""Facts about the Flink cluster, read where the job is submitted: its version, running jobs, slots, place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Protocol, TypeVar
from urllib.error import URLError

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from flink_bridge.kafka.preflight import PreflightError
from toolkit import flink_rest


class _Parallel(Protocol):
    @property
    def parallelism(self) -> int: ...


Settings = TypeVar("Settings", bound=_Parallel)
_LOOPBACK = re.compile(r"@(127\.[\d.]+|localhost|\[::1\]):")


def flink_version() -> str:
    version: str = get_gateway().jvm.org.apache.flink.runtime.util.EnvironmentInformation.getVersion()
    return version


def running_twins(name: str) -> list[str]:
    """Ids of running jobs of this name on the session cluster; none if the cluster does not answer."""
    jobs = _asked("/jobs/overview").get("jobs", [])
    return [job["jid"] for job in jobs if job["name"] == name and job["state"] not in flink_rest.ENDED]


def slot_notes(option: str, wanted: int) -> list[str]:
    """Remarks about the session cluster's slots. Raises PreflightError if it has fewer than `wanted`."""
    found = _asked("/overview")
    if not (total := found.get("slots-total", 0)):
        return []  # no TaskManager yet, or nobody to ask: the job waits for one
    if total < wanted:
        raise PreflightError(
            f"{option} {wanted}: the cluster has only {total} slot(s): lower it, or start more TaskManagers "
            "(win-event-stack up --taskmanagers N). --no-check submits anyway"
        )
    free = found["slots-available"]
    if free < wanted:
        return [f"note: {free} of {total} slots are free and this job needs {wanted}, so it waits for them"]
    return []


def with_parallelism(settings: Settings) -> Settings:
    """These settings; a `parallelism` of 0 becomes that of `flink run -p`, or the cluster's own default.

    Flink takes its own options for itself, up to the first that it does not know. So it takes our
    `--parallelism`, too, where this is the first: `flink run -py job.py --parallelism 2`.
    """
    number = settings.parallelism or int(_option("CoreOptions", "DEFAULT_PARALLELISM") or 1)
    return replace(settings, parallelism=number)  # type: ignore[type-var]  # they are dataclasses


def runs_here() -> bool:
    """Whether the job's tasks see the files of this machine: in this process, or on a cluster on loopback."""
    if _option("DeploymentOptions", "TARGET") == "local":
        return True
    workers = _asked("/taskmanagers").get("taskmanagers", [])
    return bool(workers) and all(_LOOPBACK.search(worker["path"]) for worker in workers)


def _asked(path: str) -> dict[str, Any]:
    """The answer of the session cluster's REST API; empty if there is none: the submission then fails."""
    if (url := _rest_address()) is None:
        return {}
    try:
        return dict(flink_rest.get(url, path))
    except (URLError, OSError, ValueError):
        return {}


def _rest_address() -> str | None:
    """The address of the cluster, if the job goes to a session cluster (`-t remote`)."""
    if _option("DeploymentOptions", "TARGET") != "remote" or _option("SecurityOptions", "SSL_REST_ENABLED"):
        return None
    address = _option("RestOptions", "ADDRESS")
    return f"http://{address}:{_option('RestOptions', 'PORT')}" if address else None


def _option(group: str, name: str) -> Any:
    """The value of one of Flink's options where the job is submitted."""
    environment: Any = StreamExecutionEnvironment.get_execution_environment()
    configuration = environment._j_stream_execution_environment.getConfiguration()
    options: Any = get_gateway().jvm.org.apache.flink.configuration
    return configuration.get(getattr(getattr(options, group), name))
