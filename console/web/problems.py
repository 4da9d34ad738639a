"""Errors as problem+json, one form for all of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from console.reading.http_json import RefusedError
from console.reading.poller import AwayError, LateError
from console.reading.records import BusyError, NotAllowedError, NoTopicError
from console.web.models import Problem

_KIND = "application/problem+json"
_RETRY = {"Retry-After": "2"}
# Statuses about the request itself. All others are a problem between console and producer.
_PASSED_ON = (404, 409, 422, 429)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, {**(headers or {}), "Content-Type": _KIND})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: the problems that a request may get instead of its answer."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {_KIND: schema}} for status in statuses
    }


def explain_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found: dict[str, list[str]] = {}
        for each in error.errors():  # a value of one of two types has one entry for each
            found.setdefault(".".join(map(str, each["loc"][:2])), []).append(each["msg"])
        return problem(422, "; ".join(f"{place}: {', or '.join(texts)}" for place, texts in found.items()))

    @app.exception_handler(AwayError)
    def away(_request: Request, error: AwayError) -> JSONResponse:
        return problem(503, f"{error}. Try again when it is back.", _RETRY)

    @app.exception_handler(LateError)
    def late(_request: Request, error: LateError) -> JSONResponse:
        return problem(503, f"{error}. It may be done nevertheless: look before you try again.")

    @app.exception_handler(BusyError)
    def busy(_request: Request, error: BusyError) -> JSONResponse:
        return problem(503, f"{error}. Try again.", _RETRY)

    @app.exception_handler(NoTopicError)
    def unknown(_request: Request, error: NoTopicError) -> JSONResponse:
        return problem(404, f"{error}. {'/api/v1/topics'} lists them.")

    @app.exception_handler(NotAllowedError)
    def forbidden(_request: Request, error: NotAllowedError) -> JSONResponse:
        return problem(403, str(error))

    @app.exception_handler(RefusedError)
    def refused(_request: Request, error: RefusedError) -> JSONResponse:
        if error.status in _PASSED_ON:
            return problem(error.status, f"the producer refused: {error}")
        return problem(502, f"the producer refused ({error.status}): {error}")
