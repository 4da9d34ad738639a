"""The errors of the console as problem+json."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from console.reading.http_json import RefusedError
from console.reading.poller import AwayError, LateError
from console.reading.records import BusyError, NotAllowedError, NoTopicError
from toolkit.problems import invalid_request, problem

# Statuses about the request itself. All others are a problem between console and producer.
_PASSED_ON = (404, 409, 422, 429)


def explain_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> Response:
        return invalid_request(error.errors())

    @app.exception_handler(AwayError)
    def away(_request: Request, error: AwayError) -> Response:
        return problem(503, f"{error}. Try again when it is back.")

    @app.exception_handler(LateError)
    def late(_request: Request, error: LateError) -> Response:
        detail = f"{error}. It may be done nevertheless: look before you try again."
        return problem(503, detail, headers={})  # not the usual one, which makes clients try again

    @app.exception_handler(BusyError)
    def busy(_request: Request, error: BusyError) -> Response:
        return problem(503, f"{error}. Try again.")

    @app.exception_handler(NoTopicError)
    def unknown(_request: Request, error: NoTopicError) -> Response:
        return problem(404, f"{error}. {'/api/v1/topics'} lists them.")

    @app.exception_handler(NotAllowedError)
    def forbidden(_request: Request, error: NotAllowedError) -> Response:
        return problem(403, str(error))

    @app.exception_handler(RefusedError)
    def refused(_request: Request, error: RefusedError) -> Response:
        if error.status in _PASSED_ON:
            return problem(error.status, f"the producer refused: {error}")
        return problem(502, f"the producer refused ({error.status}): {error}")
