"""Why the producer refuses requests, and the answer to one that is not even complete. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from toolkit.problems import KIND, document, problem, usual_headers


class Refusal(HTTPException):
    """The request is answered with this problem. `members` are further fields of the document."""

    def __init__(self, status: int, detail: str, reason: str = "", **members: Any) -> None:
        """`reason`: one of REFUSALS, for the metrics; empty for a mistake in the request itself."""
        super().__init__(status, detail)
        self.reason, self.members = reason, members

    def response(self) -> Response:
        return problem(self.status_code, self.detail, **self.members)


# Why requests are refused, as the metrics name it.
REFUSALS = (
    "foreign page",
    "host",
    "log full",
    "log refused",
    "stopping",
    "token",
    "too large",
    "too many connections",
    "too many requests",
    "too slow",
)


def whole_answer(status: int, detail: str) -> bytes:
    """The bytes of an answer to a request that is not even complete; the connection ends after it."""
    body = document(status, detail)
    head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"content-type: {KIND}"]
    head += [f"content-length: {len(body)}", "connection: close"]
    head += [f"{name}: {value}" for name, value in usual_headers(status).items()]
    return "\r\n".join((*head, "", "")).encode("ascii") + body
