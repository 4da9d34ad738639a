"""The address of a producer, host and port, as its clients name it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.addresses import PRODUCER_PORT


class EndpointError(ValueError):
    """The text is not an endpoint; the message quotes it."""


@dataclass(frozen=True)
class Endpoint:
    """A TCP address; prints as HOST:PORT, an IPv6 host in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str, default_port: int = PRODUCER_PORT) -> Endpoint:
    """HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. Raises EndpointError."""
    text = text.strip()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise EndpointError(f"{text!r}: expected [IPV6]:PORT")
        port = rest[1:]
    elif text.count(":") > 1:
        host, port = text, ""  # a bare IPv6 address
    else:
        host, _, port = text.partition(":")
    if not host:
        raise EndpointError(f"{text!r}: expected HOST:PORT")
    if not port:
        return Endpoint(host, default_port)
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise EndpointError(f"{text!r}: the port is not a number from 1 to 65535")
    return Endpoint(host, int(port))
