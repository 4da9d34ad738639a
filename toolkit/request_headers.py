"""What the headers of an HTTP request say: the host it was sent to, the page that sent it, its token. Pure.

A page of another site can make a browser send requests to this machine. But it cannot hide its Origin, and
its own name is in Host if it made that name point here.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def host_name(host: str) -> str:
    """A Host header without its port: `localhost:9998` → localhost, `[::1]:9998` → ::1, or empty."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def foreign_page(headers: Mapping[str, str]) -> str | None:
    """The page of another site that sent the request, or None."""
    origin = headers.get("origin")
    if origin is not None and _netloc(origin) != headers.get("host", "").lower():
        return f"a page of {origin}"
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return "a page of another site"
    return None


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token of `Authorization: Bearer …`, or None."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def media_type(headers: Mapping[str, str]) -> str:
    """The Content-Type without parameters, in lower case; empty if there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
