"""Health, metrics and injection over HTTP: GET /healthz, /readyz, /metrics and POST /events."""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from producer.http.injection import InjectionError, take_lines
from producer.http.metrics import ProducerMetrics
from producer.log.event_log import EventLog
from producer.serving.server import Server

_log = logging.getLogger("producer.http")

_MAX_BODY_BYTES = 8 * 1024 * 1024
_REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class HttpSettings:
    """Port 0 takes a free one."""

    port: int
    host: str = "127.0.0.1"


class HttpEndpoint:
    """Serves from its construction until stop(). `address` holds what is bound."""

    def __init__(
        self, settings: HttpSettings, log: EventLog, server: Server, metrics: ProducerMetrics
    ) -> None:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        kind = type("_Server", (ThreadingHTTPServer,), {"address_family": family, "daemon_threads": True})
        handler = type("_Handler", (_Handler,), {"log": log, "events": server, "metrics": metrics})
        self._server: ThreadingHTTPServer = kind((settings.host, settings.port), handler)
        self.address: tuple[str, int] = self._server.socket.getsockname()[:2]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    log: EventLog
    events: Server
    metrics: ProducerMetrics
    timeout = _REQUEST_SECONDS  # a client that trickles is hung up on
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(200, b"ok\n")
        elif self.path == "/readyz":
            ready = self.events.is_listening
            self._answer(200 if ready else 503, b"ready\n" if ready else b"stopping\n")
        elif self.path == "/metrics":
            self._answer(200, self.metrics.page(), "text/plain; version=0.0.4; charset=utf-8")
        else:
            self._answer(404, b"there are /healthz, /readyz, /metrics and POST /events\n")

    def do_POST(self) -> None:
        if self.path != "/events":
            self.close_connection = True  # the body stays unread
            self._answer(404, b"POST goes to /events\n")
            return
        try:
            lines = take_lines(self._body())
        except InjectionError as error:
            self.close_connection = True
            self._answer(error.status, f"{error}\n".encode())
            return
        self.log.append(b"".join(lines), len(lines))
        self.metrics.injected += len(lines)
        self._answer(200, b'{"accepted":%d}\n' % len(lines), "application/json")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise InjectionError("a Content-Length is needed", 411)
        if int(length) > _MAX_BODY_BYTES:
            raise InjectionError(f"at most {_MAX_BODY_BYTES} bytes at a time", 413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise InjectionError("the body is shorter than its Content-Length")
        return body

    def _answer(self, code: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)
