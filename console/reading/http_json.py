"""Requests JSON over HTTP from Flink and the producer."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request

from console.reading.poller import AwayError, LateError
from toolkit.http import open_url

SECONDS = 60.0
MAX_BYTES = 8 * 1024 * 1024


class RefusedError(Exception):
    """The service refused the request: its status and its text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def ask(url: str, method: str = "GET", body: Any = None, token: str | None = None) -> Any:
    """The JSON answer; None if it is empty. Raises AwayError (LateError once it is sent), RefusedError."""
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None
    if method != "GET":
        headers["Content-Type"] = "application/json"
        data = json.dumps({} if body is None else body).encode()
    request = Request(url, method=method, data=data, headers=headers)  # noqa: S310 - http(s), from the settings
    try:
        with open_url(request, SECONDS) as answer:
            text = answer.read(MAX_BYTES)
            return json.loads(text) if text else None
    except HTTPError as error:
        raise RefusedError(error.code, _detail(error)) from error
    except URLError as error:
        raise AwayError(f"{url} does not answer: {error.reason}") from error
    except TimeoutError as error:
        raise LateError(f"{url} has not answered for {SECONDS:.0f} s") from error
    except (OSError, ValueError, HTTPException) as error:  # such as a server that does not speak HTTP
        raise AwayError(f"{url} does not answer as expected: {error}") from error


def _detail(error: HTTPError) -> str:
    """The detail of a problem+json answer, or else its status line."""
    try:
        problem = json.loads(error.read(MAX_BYTES))
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError, OSError):
        return f"{error.code} {error.reason}"
