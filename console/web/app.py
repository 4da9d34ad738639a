"""The whole application: routes, files of the page, the page of the API, and the guard around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp
from swagger_ui_bundle import swagger_ui_path

from console.hub import Hub
from console.web.api import control_routes, read_routes, session_route, stream_route
from console.web.guard import METRICS_PATH, Guard
from console.web.metrics import build_registry
from console.web.problems import explain_errors
from toolkit.problems import describe_problems

PAGE = Path(__file__).resolve().parent.parent / "page"


def build_app(hub: Hub, is_stopping: list[bool]) -> ASGIApp:
    """Make the application.

    `is_stopping` gets an item when streams must end. The hub runs as long as the application.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        hub.start()
        yield
        hub.stop()

    app = FastAPI(
        title="win-event-console",
        description="Reads the whole pipeline, and controls the producer. For more, see docs/CONSOLE.md.",
        version=version("win-event-bridge"),
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    explain_errors(app)
    for routes in (read_routes(hub), stream_route(hub, is_stopping), control_routes(hub), session_route(hub)):
        app.include_router(routes)
    _add_metrics(app, hub)
    _add_files(app)
    describe_problems(app)
    return Guard(app, hub.settings)


def _add_metrics(app: FastAPI, hub: Hub) -> None:
    registry = build_registry(hub)

    @app.get(METRICS_PATH, include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _add_files(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/", include_in_schema=False)
    def index() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    @app.get("/docs", include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(PAGE / "docs.html")

    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/swagger", StaticFiles(directory=str(swagger_ui_path)))
