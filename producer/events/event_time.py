"""Reads the time of an event, in every form of the known shapes: the only parser in Python. Pure.

tests/conformance/timestamps.ndjson has the forms; the bridge is tested with the same file. Times are ticks of
100 ns since 1970 in UTC, as Windows counts; a text without a zone is UTC. A text without a year is not
understood.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from producer.event_fields import TIMESTAMP_FIELDS
from producer.events.clock import TICKS_PER_SECOND
from producer.events.line_rule import first_of

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal() * DAY
TICKS = TICKS_PER_SECOND
_FILETIME_EPOCH = 11_644_473_600 * TICKS  # from 1601-01-01 to 1970-01-01
_MOMENT_ZERO = datetime(1970, 1, 1)

ISO = re.compile(rb"(?<![\d-])(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d))?(?!\d)")
BASIC = re.compile(rb"(?<!\d)(\d{4})(\d\d)(\d\d)([Tt])(\d\d)(\d\d)(\d\d)(?!\d)")
AMERICAN = re.compile(rb"(?<![\d/])(\d\d?)(\\?/)(\d\d?)\\?/(\d{4}) (\d\d?):(\d\d):(\d\d) ([AaPp])([Mm])")
JSON_DATE = re.compile(rb"(/Date\()(-?\d+)((?:[+-]\d{4})?\)\\?/)")
FILETIME = re.compile(rb"(?<![\d.])1[1-4]\d{16}(?![\d.])")
NUMBER = re.compile(rb"(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.(\d+))?")
_TAIL = rb"(?:[.,](\d{1,9}))?(?: ?(?:Z|z|UTC|GMT)| ?([+-])(\d\d):?(\d\d)?)?"
_ISO_ALONE, _BASIC_ALONE = (re.compile(each.pattern + _TAIL).fullmatch for each in (ISO, BASIC))


def time_of(event: dict[str, Any]) -> float | None:
    """The time in the first time field that the event has; None if it cannot be read."""
    text = first_of(event, TIMESTAMP_FIELDS)
    return None if text is None else read_time(text)


def read_time(text: str) -> float | None:
    """Seconds since 1970; None if the value is not a time or has no year."""
    ticks = read_ticks(text)
    return None if ticks is None else ticks / TICKS


def to_milliseconds(text: bytes) -> int | None:
    """Milliseconds since 1970, rounded down; None as in read_time."""
    ticks = read_ticks(text)
    return None if ticks is None else ticks // 10_000


def read_ticks(text: str | bytes) -> int | None:
    """Ticks since 1970; None if the value is not a time or has no year."""
    line = text.encode("utf-8", "replace") if isinstance(text, str) else text
    try:
        if form := _ISO_ALONE(line) or _BASIC_ALONE(line):
            year, month, day, _, hour, minute, second, fraction, sign, hours, minutes = form.groups()
            seconds = iso_seconds(year, month, day, hour, minute, second) - EPOCH
            seconds -= _offset(sign, hours, minutes) if sign else 0
            return seconds * TICKS + (int(fraction.ljust(7, b"0")[:7]) if fraction else 0)
        if form := AMERICAN.fullmatch(line):
            return (american_seconds(form) - EPOCH) * TICKS
        if form := JSON_DATE.fullmatch(line):
            return int(form[2]) * (TICKS // 1000)
        if FILETIME.fullmatch(line):
            return int(line) - _FILETIME_EPOCH
        return _number(line)
    except (ValueError, OverflowError):
        return None


def to_text(ticks: int) -> str:
    """The time as in the flat shape: seven digits after the second, UTC."""
    seconds, rest = divmod(ticks, TICKS)
    moment = _MOMENT_ZERO + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:07d}Z"


def iso_seconds(
    year: bytes, month: bytes, day: bytes, hour: bytes, minute: bytes, second: bytes | None
) -> int:
    """Seconds since the start of the year 1. Raises ValueError for a 13th month or a 61st minute."""
    minutes, seconds = int(minute), int(second or 0)
    clock = int(hour) * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 60 or clock > DAY:
        raise ValueError(hour)
    return _days(year, month, day) * DAY + clock


@lru_cache(maxsize=64)
def _days(year: bytes, month: bytes, day: bytes) -> int:
    return date(int(year), int(month), int(day)).toordinal()


def american_seconds(form: re.Match[bytes]) -> int:
    """Seconds since the start of the year 1. Raises ValueError."""
    month, _, day, year, hour, minute, second, half, _ = form.groups()
    return date(int(year), int(month), int(day)).toordinal() * DAY + twelve_hours(hour, minute, second, half)


def twelve_hours(hour: bytes, minute: bytes, second: bytes, half: bytes) -> int:
    """Seconds since midnight, from a time with AM or PM. Raises ValueError."""
    if not 1 <= int(hour) <= 12 or int(minute) > 59 or int(second) > 59:
        raise ValueError(hour)
    return (int(hour) % 12 + (12 if half in b"Pp" else 0)) * 3600 + int(minute) * 60 + int(second)


def magnitude(digits: bytes) -> int:
    """The unit of a number with so many digits: 0 seconds, 1 milli-, 2 micro-, 3 nanoseconds."""
    return (len(digits) - 9) // 3


def _offset(sign: bytes, hours: bytes, minutes: bytes | None) -> int:
    if int(hours) > 18 or int(minutes or 0) > 59:
        raise ValueError(hours)
    return (int(hours) * 3600 + int(minutes or 0) * 60) * (-1 if sign == b"-" else 1)


def _number(line: bytes) -> int | None:
    form = NUMBER.fullmatch(line)
    if form is None:
        return None
    whole, fraction = form[1], (form[2] or b"")[:7].ljust(7, b"0")
    ticks = int(whole) * TICKS + int(fraction)
    return ticks // int(1000 ** magnitude(whole))
