"""Names and addresses of hosts: which are loopback, and which names a server goes by. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


def is_address(host: str) -> bool:
    """Whether it is an IP address, without brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server on this name or address."""
    return host in LOOPBACK_NAMES or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def host_names(host: str, allowed: Iterable[str]) -> frozenset[str]:
    """What the Host header of a request to a server on `host` may say; another name is a foreign page's."""
    return frozenset(name.lower().rstrip(".") for name in (*LOOPBACK_NAMES, host, *allowed))
