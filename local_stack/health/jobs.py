"""Facts about jobs from Flink's REST API: state, failures, checkpoints, lines read, rejected and written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError

from toolkit import flink_rest

_ENDPOINT = re.compile(r"read (\S+:\d+)")
_RESTARTS = "Checkpoint Coordinator is suspending"  # the words of Flink 2.2
_REASON = re.compile(r"\.reason\.(.+)\.rejected_lines$")
_MISSING = re.compile(r"^missing_(?=.)")  # Flink writes a colon in a name as _
_WANTED = (
    "Writer.numRecordsSend",
    ".rejected_lines",
    ".events",
    ".rejected",
    ".mostly_rejected",
    ".connected",
    ".sourceIdleTime",
)


@dataclass(frozen=True)
class Place:
    """A server that a job reads from; `idle`: seconds without a line, None if unknown."""

    address: str
    connected: bool
    idle: float | None


@dataclass(frozen=True)
class Failure:
    """A failure of a job.

    `at` is in seconds since the epoch; `text` is the first line of the innermost cause.
    """

    at: float
    text: str


@dataclass(frozen=True)
class Job:
    """Times in seconds, sizes in bytes; `checkpoint_*` are those of the newest completed one.

    `written`, `events`, `rejected` and `reasons` count since the last start of the tasks; from the servers
    `mostly_rejected`, more than half of the lines of the last minute were rejected. `failures` are the newest
    ones, oldest first; `checkpoint_failure` is why the newest checkpoint failed, if it did.
    """

    name: str
    state: str
    job_id: str
    uptime: float
    restarts: int
    checkpoints: int
    failed_checkpoints: int
    checkpoint_age: float | None
    checkpoint_duration: float | None
    checkpoint_size: int | None
    written: int
    events: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    mostly_rejected: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    checkpoint_failure: str | None = None


def read_jobs(url: str) -> list[Job]:
    """Every job that the cluster remembers, ended ones last. Raises OSError if it does not answer."""
    found = []
    for overview in flink_rest.jobs(url):
        try:
            found.append(_job(url, overview))
        except HTTPError as error:
            if error.code != 404:  # Flink has forgotten the job since
                raise
    return sorted(found, key=lambda job: (job.state in flink_rest.ENDED, job.name))


def _job(url: str, overview: dict[str, Any]) -> Job:
    job_id = str(overview["jid"])
    checkpoints = _checkpoints(url, job_id)
    newest = flink_rest.checkpoints_of(overview, checkpoints)
    measured = list(_measurements(url, job_id))
    return Job(
        name=str(overview["name"]),
        state=str(overview["state"]),
        job_id=job_id,
        uptime=overview["duration"] / 1000,
        restarts=_restarts(url, job_id),
        checkpoints=newest.completed,
        failed_checkpoints=newest.failed,
        checkpoint_age=newest.age,
        checkpoint_duration=newest.duration,
        checkpoint_size=newest.size,
        written=_total(measured, "Writer.numRecordsSend"),
        events=_total(measured, ".events"),
        rejected=_total(measured, ".rejected"),
        reasons=_reasons(measured),
        mostly_rejected=_mostly_rejected(measured),
        places=_places(measured),
        failures=_failures(url, job_id),
        checkpoint_failure=checkpoint_failure(checkpoints),
    )


def _checkpoints(url: str, job_id: str) -> dict[str, Any]:
    """The checkpoints of a job; none while Flink restores it, when Flink may answer 500."""
    try:
        return dict(flink_rest.get(url, f"/jobs/{job_id}/checkpoints"))
    except HTTPError:
        return {}


def _restarts(url: str, job_id: str) -> int:
    metrics = flink_rest.get(url, f"/jobs/{job_id}/metrics?get=numRestarts")
    return int(metrics[0]["value"]) if metrics else 0


Measurement = tuple[str, str, float]  # the vertex's name, the metric's id, its sum over the subtasks


def _measurements(url: str, job_id: str) -> Iterator[Measurement]:
    """The metrics of these names of every vertex, without those that do not exist yet."""
    for vertex in flink_rest.get(url, f"/jobs/{job_id}")["vertices"]:
        path = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
        wanted = [m["id"] for m in flink_rest.get(url, path) if m["id"].endswith(_WANTED)]
        if wanted:
            for value in flink_rest.get(url, f"{path}?get={','.join(wanted)}&agg=sum"):
                yield str(vertex["name"]), str(value["id"]), float(value["sum"])


def _total(measured: list[Measurement], suffix: str) -> int:
    return int(sum(value for _, name, value in measured if name.endswith(suffix)))


def _reasons(measured: list[Measurement]) -> dict[str, int]:
    """Rejected lines by reason."""
    found: dict[str, int] = {}
    for _, name, value in measured:
        if (match := _REASON.search(name)) and value:
            reason = _MISSING.sub("missing:", match[1])
            found[reason] = found.get(reason, 0) + int(value)
    return found


def _places(measured: list[Measurement]) -> list[Place]:
    connected = {vertex: value > 0 for vertex, name, value in measured if name.endswith(".connected")}
    idle = {vertex: value / 1000 for vertex, name, value in measured if name.endswith(".sourceIdleTime")}
    addresses = {vertex: match[1] for vertex in connected if (match := _ENDPOINT.search(vertex))}
    return [Place(addresses[vertex], connected[vertex], idle.get(vertex)) for vertex in sorted(addresses)]


def _mostly_rejected(measured: list[Measurement]) -> list[str]:
    vertices = [vertex for vertex, name, value in measured if name.endswith(".mostly_rejected") and value > 0]
    return sorted(match[1] if (match := _ENDPOINT.search(vertex)) else vertex for vertex in vertices)


def _failures(url: str, job_id: str) -> list[Failure]:
    history = flink_rest.get(url, f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    found = [Failure(entry["timestamp"] / 1000, innermost(entry["stacktrace"])) for entry in history]
    return sorted(found, key=lambda failure: failure.at)


def innermost(stacktrace: str) -> str:
    """The first line of the last cause in a Java stack trace, without the name of the class."""
    lines = stacktrace.splitlines() or [""]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes or lines)[-1 if causes else 0].strip()


def checkpoint_failure(checkpoints: dict[str, Any]) -> str | None:
    """Why the newest checkpoint failed; None if one was completed since. `checkpoints`: Flink's answer.

    A single failure before the first completed one is left out, because the tasks were starting, and so is a
    checkpoint that ended because the job restarts: the restart is reported with its reason.
    """
    latest = checkpoints.get("latest") or {}
    failed, completed = latest.get("failed"), latest.get("completed")
    if not failed or (completed and completed["id"] > failed["id"]):
        return None
    if not completed and checkpoints["counts"]["failed"] < 2:
        return None
    reason = str(failed.get("failure_message") or "no reason given")
    return None if _RESTARTS in reason else reason
