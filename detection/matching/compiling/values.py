"""Functions that compiled rules call: for numbers, networks, times, patterns. Pure; none raises."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from functools import lru_cache

_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*", re.ASCII).fullmatch
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)").match
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def number(text: str) -> float | int | None:
    """The number in a text, or None."""
    if len(text) > 400 or not _NUMBER(text):
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)


def in_network(text: str, network: _Network) -> bool:
    address = _address(text)
    return address is not None and address in network


@lru_cache(maxsize=4096)
def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # An IPv4 address written as IPv6, as in some logon events of Windows.
    return getattr(address, "ipv4_mapped", None) or address


def glob(text: str, begin: str, middle: tuple[str, ...], end: str) -> bool:
    """Whether text starts with begin, ends with end, and has the others between, in this order.

    Linear time.
    """
    if not text.startswith(begin) or not text.endswith(end):
        return False
    position, limit = len(begin), len(text) - len(end)
    for part in middle:
        found = text.find(part, position, limit)
        if found < 0:
            return False
        position = found + len(part)
    return position <= limit


def time_part(text: str, part: str) -> int:
    """Minute, hour, day, ISO week, month or year of a time in an event; -1 if it is not a time."""
    found = _TIME(text)
    if found is None:
        return -1
    year, month, day, hour, minute = map(int, found.groups())
    if part == "WEEK":
        try:
            return datetime(year, month, day).isocalendar()[1]
        except ValueError:
            return -1
    return {"MINUTE": minute, "HOUR": hour, "DAY": day, "MONTH": month, "YEAR": year}[part]
