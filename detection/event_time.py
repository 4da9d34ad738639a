"""Event time in ticks of 100 ns since 1970, as Windows keeps it, from the texts that events have. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

TICKS = 10_000_000
"""Ticks a second."""

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)? ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
).fullmatch
_EPOCH = datetime(1970, 1, 1)


def to_ticks(text: str) -> int | None:
    """None when `text` is no time; without a zone it is taken as UTC."""
    form = _FORM(text)
    if form is None:
        return None
    date, hour, minute, second, fraction, zone = form.groups()
    day = _day(date)
    if day is None or int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        return None
    seconds = day * 86_400 + int(hour) * 3600 + int(minute) * 60 + int(second) - _offset(zone)
    return seconds * TICKS + int((fraction or "0").ljust(7, "0")[:7])


def to_text(ticks: int) -> str:
    """As the flat shape writes it: seven digits, UTC."""
    seconds, rest = divmod(ticks, TICKS)
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:07d}Z"


@lru_cache(maxsize=64)
def _day(date: str) -> int | None:
    try:
        return (datetime.fromisoformat(date) - _EPOCH).days
    except ValueError:
        return None  # the 13th month


def _offset(zone: str | None) -> int:
    if zone in (None, "Z", "UTC"):
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -seconds if zone[0] == "-" else seconds
