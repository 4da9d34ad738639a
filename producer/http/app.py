"""The whole application: routes, the page of the API, one form for errors, and the guard around it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from swagger_ui_bundle import swagger_ui_path

from producer.components import Components
from producer.http.control import control_routes
from producer.http.guard import INTAKE_PATHS, Guard
from producer.http.intake_bodies import Taker
from producer.http.intake_routes import intake_routes
from producer.http.metrics import ProducerMetrics
from producer.http.models import IntakeProblem
from producer.http.problems import Refusal
from producer.http.settings import HttpSettings
from toolkit.problems import describe_problems, documented, invalid_request, problem

_log = logging.getLogger("producer.http")
_PAGE = Path(__file__).resolve().parent / "page"


def build_app(settings: HttpSettings, components: Components, metrics: ProducerMetrics) -> ASGIApp:
    app = FastAPI(
        title="win-event-producer",
        description="Intake of events and control of generation. For more, see docs/HTTP.md.",
        version=version("win-event-bridge"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=documented(400, 401, 403, 408, 413, 415, 431, 503),
    )

    def is_open() -> bool:
        return components.server.is_listening

    taker = Taker(components.intake, components.log.log_id, settings.limits, metrics.posts.reject, is_open)
    app.include_router(intake_routes(taker))
    app.include_router(_health_routes(components, metrics))
    app.include_router(control_routes(components))
    _add_page(app)
    _explain_errors(app, metrics.refused)
    _describe(app)
    short = _shortcut(app, taker)
    return Guard(short, settings, metrics.refused, is_open)


def _shortcut(app: ASGIApp, taker: Taker) -> ASGIApp:
    """Answer posted events without FastAPI, which would take more time than the events.

    FastAPI only documents these routes.
    """

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in INTAKE_PATHS or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        try:
            answer = await taker.take(Request(scope, receive))
        except Refusal:
            raise
        except Exception:
            _log.exception("POST %s", scope["path"])
            answer = problem(500, "an error in the producer; its log has the cause")
        await answer(scope, receive, send)

    return route


def _health_routes(components: Components, metrics: ProducerMetrics) -> APIRouter:
    api = APIRouter(tags=["health"])

    @api.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """Whether the process answers."""
        return "ok\n"

    @api.get("/readyz", response_class=PlainTextResponse, responses=documented(503))
    async def readyz() -> str:
        """Whether clients are accepted and the log can grow."""
        if components.problem:
            raise Refusal(503, components.problem)
        return "ready\n"

    @api.get("/metrics", response_class=PlainTextResponse)
    async def page() -> Response:
        """The metrics for Prometheus."""
        return Response(metrics.page(), media_type=CONTENT_TYPE_LATEST)

    return api


def _add_page(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(_PAGE / "docs.html")

    app.mount("/page", StaticFiles(directory=_PAGE))
    app.mount("/swagger", StaticFiles(directory=str(swagger_ui_path)))


def _explain_errors(app: FastAPI, refused: Callable[[str], object]) -> None:
    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if isinstance(error, Refusal):
            if error.reason:
                refused(error.reason)
            return error.response()
        detail = str(error.detail)
        if error.status_code in (404, 405):
            detail = f"{request.method} {request.url.path} does not exist here: see /docs"
        answer = problem(error.status_code, detail)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def mistake_of_ours(request: Request, _error: Exception) -> Response:
        return problem(500, f"{request.method} {request.url.path} failed; the producer's log says why")

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        return invalid_request(error.errors())


def _describe(app: FastAPI) -> None:
    """The OpenAPI document with the one form that every error has, and the token."""
    describe_problems(app, IntakeProblem)
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}, {}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]
