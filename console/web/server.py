"""Listens and serves until it is stopped."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from console.hub import Hub
from console.settings import Settings
from console.web.app import build_app

MAX_CONNECTIONS = 128


class ListenError(Exception):
    """The address cannot be used; the text says why and what to try."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, is_stopping: list[bool]) -> None:
        super().__init__(config)
        self._is_stopping = is_stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._is_stopping.append(True)  # streams would delay the end
        await super().shutdown(sockets)


def serve(settings: Settings, listening: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `listening` is called with the address. Raises ListenError."""
    with _listen(settings) as server_socket:
        is_stopping: list[bool] = []
        config = configure(build_app(Hub(settings), is_stopping))
        host, port = server_socket.getsockname()[:2]
        listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        # uvicorn raises its signal again; but a stop on request is a success.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        _Server(config, is_stopping).run(sockets=[server_socket])


def configure(app: ASGIApp, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,  # an open page's stream never ends by itself
        **more,
    )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; try another --port"
        ) from error
