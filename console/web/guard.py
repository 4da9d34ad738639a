"""Who may send requests: no foreign web page, only known host names, and only with the token.

A page of another site cannot set the header X-Win-Event-Console without asking first, which is never allowed.
"""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.settings import VERSION_PATH, Settings
from toolkit.addresses import is_address, is_loopback
from toolkit.problems import problem
from toolkit.request_headers import bearer_token, foreign_page, host_name, media_type

OWN_HEADER = "x-win-event-console"
COOKIE = "win-event-console"
METRICS_PATH = "/metrics"
SESSION_PATH = f"{VERSION_PATH}/session"
MAX_BODY = 4_096
_SAFE = ("GET", "HEAD")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_CSP = f"{_CSP}; require-trusted-types-for 'script'; trusted-types 'none'"
# Swagger's page sets inline styles.
_DOCS_CSP = _CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _DOCS_CSP if scope["path"] == "/docs" else _PAGE_CSP
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refusal:
            await problem(*refusal)(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _refusal(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        name = host_name(headers.get("host", ""))
        if name not in self._settings.host_names and not self._is_own_address(name):
            return 403, f"this console is not {name or 'nameless'}: start it with --allow-host NAME"
        closed = path == METRICS_PATH or (path.startswith("/api/") and path != SESSION_PATH)
        if closed and not self._knows_token(headers):
            return 401, f"POST the token of the console to {SESSION_PATH}, or send it as a bearer token"
        return None if method in _SAFE else _refuse_change(headers)

    def _is_own_address(self, name: str) -> bool:
        """Whether the host is an address of this console.

        If the console listens beyond loopback, any address is accepted, because foreign pages have names.
        """
        return not is_loopback(self._settings.host) and is_address(name)

    def _knows_token(self, headers: Headers) -> bool:
        token = self._settings.token
        if token is None:
            return True
        if (given := bearer_token(headers)) is not None:
            return hmac.compare_digest(given.encode("latin-1"), token.encode())
        return hmac.compare_digest(_cookie(headers).encode("latin-1", "replace"), remembered(token).encode())


def is_token(settings: Settings, given: str) -> bool:
    wanted = settings.token or ""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def remembered(token: str) -> str:
    """The value of the cookie for a token, which may have characters that are not allowed in a cookie."""
    return hashlib.sha256(token.encode()).hexdigest()


def _refuse_change(headers: Headers) -> tuple[int, str] | None:
    if page := foreign_page(headers):
        return 403, f"{page} may not change anything here"
    if OWN_HEADER not in headers:
        return 403, "a request that changes something needs the header X-Win-Event-Console: 1"
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal() or int(length) > MAX_BODY:
        return 413, f"a body of at most {MAX_BODY} bytes, with a Content-Length"
    if int(length) and "content-type" in headers and media_type(headers) != "application/json":
        return 415, "the body must be application/json"
    return None


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
