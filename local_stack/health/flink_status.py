"""What Flink's REST API tells about jobs: state, restarts, checkpoints, records written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_stack.cluster import rest as flink_rest


@dataclass(frozen=True)
class Job:
    """Times in seconds, sizes in bytes; `checkpoint_*` are those of the newest completed one."""

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


def jobs(url: str) -> list[Job]:
    """Every job the cluster remembers, those that ended last. Raises OSError when it does not answer."""
    found = [_job(url, overview) for overview in flink_rest.jobs(url)]
    return sorted(found, key=lambda job: (job.state in ("CANCELED", "FAILED", "FINISHED"), job.name))


def _job(url: str, overview: dict[str, Any]) -> Job:
    job_id = str(overview["jid"])
    checkpoints = flink_rest.get(url, f"/jobs/{job_id}/checkpoints")
    newest = (checkpoints.get("latest") or {}).get("completed") or {}
    now = (overview["start-time"] + overview["duration"]) / 1000  # by the JobManager's clock
    done = newest.get("latest_ack_timestamp")
    return Job(
        name=str(overview["name"]),
        state=str(overview["state"]),
        job_id=job_id,
        uptime=overview["duration"] / 1000,
        restarts=_restarts(url, job_id),
        checkpoints=checkpoints["counts"]["completed"],
        failed_checkpoints=checkpoints["counts"]["failed"],
        checkpoint_age=max(0.0, round(now - done / 1000, 3)) if done else None,
        checkpoint_duration=newest["end_to_end_duration"] / 1000 if newest else None,
        checkpoint_size=newest.get("state_size"),
        written=_written(url, job_id),
    )


def _restarts(url: str, job_id: str) -> int:
    metrics = flink_rest.get(url, f"/jobs/{job_id}/metrics?get=numRestarts")
    return int(metrics[0]["value"]) if metrics else 0


def _written(url: str, job_id: str) -> int:
    """Records that the Kafka sink has sent since its task started; 0 while there is no such measurement."""
    total = 0
    for vertex in flink_rest.get(url, f"/jobs/{job_id}")["vertices"]:
        path = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
        names = [metric["id"] for metric in flink_rest.get(url, path)]
        wanted = [name for name in names if name.endswith("Writer.numRecordsSend")]
        if wanted:
            values = flink_rest.get(url, f"{path}?get={','.join(wanted)}&agg=sum")
            total += int(sum(value["sum"] for value in values))
    return total
