"""Hosts and ports: where servers listen by default, what is loopback, which names a server has. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
PRODUCER_PORT = 9999
PRODUCER_HTTP_PORT = 9998
CONSOLE_PORT = 8085
FLINK_PORT = 8081  # Flink's own default
KAFKA_PORT = 9092  # Kafka's own default
LOOPBACK_NAMES = (LOOPBACK, "localhost", "::1")


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
