"""The few requests that this toolkit sends to Flink's REST API, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import Request

from toolkit.http import open_url

_SECONDS = 60.0  # seconds for an answer; a busy machine takes many
ENDED = ("CANCELED", "FAILED", "FINISHED")
"""The states of a job that will not run again."""


@dataclass(frozen=True)
class Checkpoints:
    """How many were completed and failed; age and duration (seconds) and size (bytes) of the newest one.

    These are None before the first one is complete.
    """

    completed: int
    failed: int
    age: float | None
    duration: float | None
    size: int | None


def checkpoints_of(overview: Mapping[str, Any], answer: Mapping[str, Any]) -> Checkpoints:
    """From a job in /jobs/overview, and the answer of /jobs/ID/checkpoints; {} if there is none."""
    counts = answer.get("counts") or {}
    newest = (answer.get("latest") or {}).get("completed") or {}
    now = overview["start-time"] + overview["duration"]  # by the JobManager's clock
    done = newest.get("latest_ack_timestamp")
    return Checkpoints(
        completed=counts.get("completed", 0),
        failed=counts.get("failed", 0),
        age=max(0.0, round((now - done) / 1000, 3)) if done else None,
        duration=newest["end_to_end_duration"] / 1000 if newest else None,
        size=newest.get("state_size"),
    )


def get(url: str, path: str) -> Any:
    """The JSON answer. Raises OSError if the JobManager does not answer."""
    with open_url(f"{url}{path}", _SECONDS) as answer:
        return json.load(answer)


def taskmanagers(url: str) -> int:
    """How many TaskManagers are registered; 0 while the JobManager does not answer."""
    try:
        return int(get(url, "/overview")["taskmanagers"])
    except (URLError, OSError, KeyError):
        return 0


def taskmanager_ids(url: str) -> set[str]:
    """Ids of the registered TaskManagers; a process gets a new one at each start."""
    return {each["id"] for each in get(url, "/taskmanagers")["taskmanagers"]}


def jobs(url: str) -> list[dict[str, Any]]:
    """Every job the cluster remembers: jid, name, state, start-time (ms), duration (ms)."""
    return list(get(url, "/jobs/overview")["jobs"])


def cancel(url: str, job_id: str) -> None:
    """Ask a job to stop. Raises OSError if it does not exist."""
    request = Request(f"{url}/jobs/{job_id}?mode=cancel", method="PATCH")  # noqa: S310 - http
    with open_url(request, _SECONDS):
        pass
