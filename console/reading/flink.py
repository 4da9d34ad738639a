"""Facts about jobs from Flink's REST API: state, restarts, checkpoints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from console.reading.http_json import RefusedError, ask
from console.reading.poller import AwayError
from toolkit.flink_rest import ENDED, checkpoints_of

MAX_JOBS = 50

Kind = Literal["bridge", "detection", "analytics"]
# What tells the kind of a job, whatever its name is: see flink_bridge/graph.py and detection/flink/graph.py.
_OPERATORS: dict[str, Kind] = {"parse and key": "bridge", "correlate": "detection"}


@dataclass(frozen=True)
class Job:
    """Times are in seconds; `checkpoint_*` describe the newest completed one, or are None before it.

    `kind`: None of a job that has ended.
    """

    name: str
    kind: Kind | None
    job_id: str
    state: str
    running_tasks: int
    tasks: int
    uptime: float
    restarts: int
    checkpoints: int
    failed_checkpoints: int
    checkpoint_age: float | None
    checkpoint_duration: float | None


def read_jobs(url: str) -> list[Job]:
    """Running jobs first, then the newest ones that ended. Raises AwayError."""
    get = partial(_get, url)
    try:
        overviews = get("/jobs/overview")["jobs"]
        overviews.sort(key=lambda job: (job["state"] in ENDED, -job["start-time"]))
        return [_job(get, overview) for overview in overviews[:MAX_JOBS]]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise AwayError(f"{url} does not answer as Flink does: {error!r}") from error


def _get(url: str, path: str) -> Any:
    try:
        return ask(url + path)
    except RefusedError as error:
        raise AwayError(f"{url}{path}: {error}") from error


def _job(get: Callable[[str], Any], overview: dict[str, Any]) -> Job:
    job_id = str(overview["jid"])
    over = overview["state"] in ENDED
    checkpoints = checkpoints_of(overview, {} if over else get(f"/jobs/{job_id}/checkpoints"))
    return Job(
        name=str(overview["name"]),
        kind=None if over else kind_of(str(each["name"]) for each in get(f"/jobs/{job_id}")["vertices"]),
        job_id=job_id,
        state=str(overview["state"]),
        running_tasks=int(overview["tasks"].get("running", 0)),
        tasks=int(overview["tasks"].get("total", 0)),
        uptime=overview["duration"] / 1000,
        restarts=0 if over else _restarts(get, job_id),
        checkpoints=checkpoints.completed,
        failed_checkpoints=checkpoints.failed,
        checkpoint_age=checkpoints.age,
        checkpoint_duration=checkpoints.duration,
    )


def kind_of(vertices: Iterable[str]) -> Kind:
    """The kind of a job with vertices of these names; a vertex is named after its chain of operators."""
    operators = {name for vertex in vertices for name in re.split(r" -> |[(),]+ *", vertex)}
    return next((kind for name, kind in _OPERATORS.items() if name in operators), "analytics")


def _restarts(get: Callable[[str], Any], job_id: str) -> int:
    metrics = get(f"/jobs/{job_id}/metrics?get=numRestarts")
    return int(metrics[0]["value"]) if metrics else 0
