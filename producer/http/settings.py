"""Settings of the HTTP server: where to listen, who may ask, and the limits. Pure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import cached_property

from toolkit.addresses import host_names

TOKEN_VARIABLE = "WIN_EVENT_HTTP_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class HttpLimits:
    """Sizes in bytes, `seconds` from the first byte of a request to the last of its answer.

    `body` limits what is in memory at a time (after gunzip); an NDJSON body, which is taken line by line, may
    have `stream` bytes.
    """

    body: int = 16 * 1024 * 1024
    stream: int = 1024 * 1024 * 1024
    header: int = 32 * 1024
    seconds: float = 60.0
    connections: int = 256
    requests: int = 64


@dataclass(frozen=True)
class HttpSettings:
    """Port 0 takes a free one. `token` allows changes, `allowed_hosts` are further host names."""

    port: int
    host: str = "127.0.0.1"
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    limits: HttpLimits = HttpLimits()
    tls: ssl.SSLContext | None = None

    @cached_property
    def host_names(self) -> frozenset[str]:
        """The names that a Host header may have, besides an address."""
        return host_names(self.host, self.allowed_hosts)
