"""Where the lines come from: `host:port`, several of them separated by commas."""

from __future__ import annotations

from dataclasses import dataclass


class EndpointError(ValueError):
    """An endpoint that cannot be one; the text says which and what is expected."""


@dataclass(frozen=True)
class Endpoint:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoints(hostnames: str, default_port: int) -> tuple[Endpoint, ...]:
    """`a,b:9998,[::1]:9997` with the port for those that name none. Raises EndpointError."""
    endpoints = tuple(_parse(word.strip(), default_port) for word in hostnames.split(",") if word.strip())
    if not endpoints:
        raise EndpointError("no host: expected HOST or HOST:PORT, several separated by commas")
    for endpoint in endpoints:
        if endpoints.count(endpoint) > 1:
            raise EndpointError(f"{endpoint} is there twice: every line would reach Kafka twice")
    return endpoints


def _parse(word: str, default_port: int) -> Endpoint:
    host, port = _split(word)
    try:
        number = int(port) if port else default_port
    except ValueError:
        raise EndpointError(f"{word!r}: {port!r} is no port") from None
    if not host or not 0 < number < 65536:
        raise EndpointError(f"{word!r}: expected HOST or HOST:PORT with a port from 1 to 65535")
    return Endpoint(host, number)


def _split(word: str) -> tuple[str, str]:
    if word.startswith("["):
        host, _, rest = word[1:].partition("]")
        return host, rest.removeprefix(":")
    if word.count(":") > 1:  # an IPv6 address without brackets has no room for a port
        return word, ""
    host, _, port = word.partition(":")
    return host, port
