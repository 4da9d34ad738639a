"""Who may send requests: only by a known host name, from no other site, with the token, and not too many at
once.

Requests that change something must have the type application/json, which a form of a web page cannot send.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from producer.http.connections import OVER
from producer.http.problems import Refusal
from producer.http.settings import TOKEN_VARIABLE, HttpSettings
from toolkit.addresses import is_address, is_loopback
from toolkit.request_headers import bearer_token, foreign_page, host_name, media_type

INTAKE_PATHS = ("/events", "/logs")
PROBE_PATHS = ("/healthz", "/readyz", "/metrics")  # answered even under load
JSON_KIND = "application/json"
NDJSON_KINDS = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_CONTROL_BYTES = 16 * 1024
_SAFE = ("GET", "HEAD", "OPTIONS")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


@dataclass
class Guard:
    """ASGI middleware around the whole application. `is_open` is false when the producer stops."""

    app: ASGIApp
    settings: HttpSettings
    refused: Callable[[str], object]
    is_open: Callable[[], bool]
    under_way: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.under_way += 1
        try:
            self._check(scope["method"], scope["path"], Headers(scope=scope))
            await self.app(scope, _bounded(scope, receive), _guarded(send))
        except Refusal as refusal:
            if refusal.reason:
                self.refused(refusal.reason)
            await refusal.response()(scope, receive, _guarded(send))
        finally:
            self.under_way -= 1

    def _check(self, method: str, path: str, headers: Headers) -> None:
        """Raises Refusal."""
        if path not in PROBE_PATHS:
            self._check_host(headers)
            most = self.settings.limits.requests
            if self.under_way > most:
                raise Refusal(503, f"{most} requests are already in progress", "too many requests")
        if method not in _SAFE:
            _check_origin(headers)
            self._check_token(headers)
            if not self.is_open():
                raise Refusal(503, "the producer is stopping", "stopping")
            _check_kind(path, headers)

    def _check_host(self, headers: Headers) -> None:
        name = host_name(headers.get("host", ""))
        if name not in self.settings.host_names and not is_address(name):
            raise Refusal(403, f"this server is not called {name!r}: see --http-allow-host", "host")

    def _check_token(self, headers: Headers) -> None:
        token = self.settings.token
        if token is None:
            if is_loopback(self.settings.host):
                return
            detail = f"a server beyond loopback needs a token for changes: set {TOKEN_VARIABLE}"
            raise Refusal(403, detail, "token")
        given = bearer_token(headers) or ""
        if not hmac.compare_digest(given.encode("latin-1"), token.encode()):
            raise Refusal(401, f"send the token of {TOKEN_VARIABLE} as Authorization: Bearer …", "token")


def _check_origin(headers: Headers) -> None:
    if page := foreign_page(headers):
        raise Refusal(403, f"{page} may not change anything here", "foreign page")


def _check_kind(path: str, headers: Headers) -> None:
    is_empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    kinds = (JSON_KIND, *NDJSON_KINDS) if path in INTAKE_PATHS else (JSON_KIND,)
    if not is_empty and media_type(headers) not in kinds:
        raise Refusal(415, f"the body must be {' or '.join(kinds[:2])}: set Content-Type")


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Limit the body of control requests, which are short; the intake counts its own bytes."""
    if scope["path"] in INTAKE_PATHS:
        return receive
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if OVER in scope and message.get("more_body", True):
            status, detail = scope[OVER]
            raise Refusal(status, detail, "stopping" if status == 503 else "too slow")
        taken += len(message.get("body", b""))
        if taken > _CONTROL_BYTES:
            raise Refusal(413, f"the body has more than {_CONTROL_BYTES} bytes", "too large")
        return message

    return bounded


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_RAW_HEADERS]
        await send(message)

    return guarded
