"""The few requests that this toolkit sends to Flink's REST API."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import URLError
from urllib.request import Request

from toolkit.http import open_url

_SECONDS = 60.0  # seconds for an answer; a busy machine takes many


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
