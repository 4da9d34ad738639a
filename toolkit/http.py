"""HTTP requests to the toolkit's own servers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener, urlopen

from toolkit.addresses import is_loopback

_directly = build_opener(ProxyHandler({})).open


def open_url(request: Request | str, seconds: float) -> Any:
    """As urlopen, but servers of this machine are never asked through the proxy of `http_proxy`.

    A proxy does not reach them, and it would see the producer's token. Raises what urlopen raises.
    """
    url = request if isinstance(request, str) else request.full_url
    ask = _directly if is_loopback(urlsplit(url).hostname or "") else urlopen
    return ask(request, timeout=seconds)
