"""Listens and serves in a thread of its own, from construction until stop()."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from producer.http.connections import Listener, connections
from producer.http.settings import HttpSettings
from producer.serving.server import bind

logging.getLogger("uvicorn").setLevel(logging.ERROR)  # requests are not logged; exceptions are

_IDLE_SECONDS = 15  # a connection without a request is closed
_STOP_SECONDS = 3  # for requests that are still being answered when the producer is stopped


class HttpServer:
    """The running HTTP server.

    `address` is the bound address, `url` the one for people. Raises OSError when it cannot listen.
    """

    def __init__(self, settings: HttpSettings, app: ASGIApp, refused: Callable[[str], object]) -> None:
        self._socket = bind(settings.host, settings.port)
        self._socket.setblocking(False)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            app,
            http=connections(settings.limits, refused),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            ssl_context_factory=_always(settings.tls) if settings.tls else None,
        )
        self._listener = Listener(config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._listener.run(sockets=[self._socket])

    def stop(self) -> None:
        """Answer the requests that have arrived, for at most a few seconds."""
        self._listener.should_exit = True
        self._thread.join(2 * _STOP_SECONDS)
        self._socket.close()


def _always(context: ssl.SSLContext) -> Callable[..., ssl.SSLContext]:
    def give(*_: Any) -> ssl.SSLContext:
        return context

    return give
