"""Errors as problem+json (RFC 9457), one form for all of them: what failed and what to do. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

KIND = "application/problem+json"
RETRY_SECONDS = 2


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


def problem(status: int, detail: str, **members: Any) -> Response:
    return Response(document(status, detail, **members), status, _headers(status), KIND)


def document(status: int, detail: str, **members: Any) -> bytes:
    title = HTTPStatus(status).phrase
    return orjson.dumps(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    )


def whole_answer(status: int, detail: str) -> bytes:
    """The bytes of an answer to a request that is not even complete; the connection ends after it."""
    body = document(status, detail)
    head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"content-type: {KIND}"]
    head += [f"content-length: {len(body)}", "connection: close"]
    head += [f"{name}: {value}" for name, value in _headers(status).items()]
    return "\r\n".join((*head, "", "")).encode("ascii") + body


def _headers(status: int) -> dict[str, str]:
    if status in (429, 503):
        return {"retry-after": str(RETRY_SECONDS)}
    return {"www-authenticate": "Bearer"} if status == 401 else {}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: the problems that a request may get instead of its answer."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {KIND: schema}} for status in statuses
    }
