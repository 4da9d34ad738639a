"""Errors of an HTTP server as problem+json (RFC 9457): what failed and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import Response

KIND = "application/problem+json"
_RETRY_SECONDS = 2


class Problem(BaseModel):
    """RFC 9457. `detail` says what failed and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """The answer. Without `headers`, it has the usual ones; `members` are further fields of the document."""
    body = document(status, detail, **members)
    return Response(body, status, usual_headers(status) if headers is None else headers, KIND)


def document(status: int, detail: str, **members: Any) -> bytes:
    title = HTTPStatus(status).phrase
    return orjson.dumps(Problem(title=title, status=status, detail=detail).model_dump() | members)


def usual_headers(status: int) -> dict[str, str]:
    """What a client must know to try again, or to log in."""
    if status in (429, 503):
        return {"retry-after": str(_RETRY_SECONDS)}
    return {"www-authenticate": "Bearer"} if status == 401 else {}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: the problems that a request may get instead of its answer."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {KIND: schema}} for status in statuses
    }


def describe_problems(app: FastAPI, *more: type[Problem]) -> None:
    """Give the OpenAPI document the form that every error has, instead of FastAPI's; `more`: its variants."""
    made = app.openapi
    models: tuple[type[Problem], ...] = (Problem, *more)

    def openapi() -> dict[str, Any]:
        found = made()
        schemas = found["components"]["schemas"]
        schemas |= {model.__name__: model.model_json_schema() for model in models}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return found

    app.openapi = openapi  # type: ignore[method-assign]


def invalid_request(errors: Iterable[Mapping[str, Any]]) -> Response:
    """The answer to a request with wrong values, from the `errors()` of FastAPI's RequestValidationError."""
    found: dict[str, list[str]] = {}
    for each in errors:  # a value of one of two types has one entry for each
        found.setdefault(".".join(map(str, each["loc"][:2])), []).append(each["msg"])
    return problem(422, "; ".join(f"{place}: {', or '.join(texts)}" for place, texts in found.items()))
