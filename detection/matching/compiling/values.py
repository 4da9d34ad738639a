"""Functions that compiled rules call: for numbers, networks, times, patterns. Pure; none raises."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from producer.events.event_time import TICKS, read_ticks

_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*", re.ASCII).fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
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
    """Minute, hour, day, ISO week, month or year, in UTC, of a time in an event; -1 if it is not a time."""
    ticks = read_ticks(text)
    if ticks is None:
        return -1
    try:
        when = _EPOCH + timedelta(microseconds=ticks * 1_000_000 // TICKS)
    except OverflowError:
        return -1
    return when.isocalendar()[1] if part == "WEEK" else int(getattr(when, part.lower()))
