"""What time an event tells, in every form of the shapes known here, and the same event at another time. Pure.

tests/conformance/timestamps.ndjson has the forms. Times are seconds since 1970 in UTC; a text without a zone
is UTC. A text without a year is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from producer.event_fields import TIMESTAMP_FIELDS
from producer.events.line_rule import first_of

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal() * _DAY
_FILETIME_EPOCH = 11_644_473_600  # seconds from 1601-01-01 to 1970-01-01

_ISO = re.compile(rb"(?<![\d-])(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d))?(?!\d)")
_BASIC = re.compile(rb"(?<!\d)(\d{4})(\d\d)(\d\d)([Tt])(\d\d)(\d\d)(\d\d)(?!\d)")
_TAIL = re.compile(rb"([.,]\d{1,9})?(?: ?(?:Z|z|UTC|GMT)| ?([+-])(\d\d):?(\d\d)?)?")
_AMERICAN = re.compile(rb"(?<![\d/])(\d\d?)(\\?/)(\d\d?)\\?/(\d{4}) (\d\d?):(\d\d):(\d\d) ([AaPp])([Mm])")
_DATE = re.compile(rb"(?<![\d/])(\d\d?)(\\?/)(\d\d?)\\?/(\d{4})(?![\d/]| \d)")
_CLOCK = re.compile(rb"(?<![\d:/] )(?<![\d:/])(\d\d?):(\d\d):(\d\d) ([AaPp])([Mm])")
_JSON_DATE = re.compile(rb"(/Date\()(-?\d+)((?:[+-]\d{4})?\)\\?/)")
_FILETIME = re.compile(rb"(?<![\d.])1[1-4]\d{16}(?![\d.])")
_NUMBER = re.compile(r"(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(\.\d+)?")


def time_of(event: dict[str, Any]) -> float | None:
    """When the event happened, by the first time field that it has; None when that tells no time."""
    text = first_of(event, TIMESTAMP_FIELDS)
    return None if text is None else read_time(text)


def read_time(text: str) -> float | None:
    """Seconds since 1970; None for what is no time, or none with a year."""
    line = text.encode("utf-8", "replace")
    try:
        for pattern, local in ((_ISO, _iso_local), (_BASIC, _iso_local)):
            if (match := pattern.match(line)) and (tail := _TAIL.fullmatch(line, match.end())):
                return (
                    local(match) - _EPOCH + float(tail[1].replace(b",", b".") if tail[1] else 0) - _zone(tail)
                )
        if match := _AMERICAN.fullmatch(line):
            return float(_american_local(match) - _EPOCH)
        if match := _JSON_DATE.fullmatch(line):
            return int(match[2]) / 1e3
        if match := re.fullmatch(_FILETIME, line):
            return int(line) / 1e7 - _FILETIME_EPOCH
        return _number(text)
    except (ValueError, OverflowError):
        return None


def at_another_time(line: bytes, seconds: int, own: str | None = None) -> bytes:
    """The line with every time in it moved by so many seconds, each in the form it had.

    `own`: the text of the event's time, which may be a plain number. Dates without a time move by whole days.
    """
    if own is not None and _NUMBER.fullmatch(own) and not _FILETIME.fullmatch(own.encode()):
        line = _move_number(line, own, seconds)
    for pattern, move in _MOVES:
        line = pattern.sub(_safely(move, seconds), line)
    return line


def _iso_local(match: re.Match[bytes]) -> int:
    year, month, day, _, hour, minute, second = match.groups()
    clock = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if int(minute) > 59 or int(second or 0) > 60 or clock > _DAY:
        raise ValueError(match[0])
    return date(int(year), int(month), int(day)).toordinal() * _DAY + clock


def _american_local(match: re.Match[bytes]) -> int:
    month, _, day, year, hour, minute, second, half, _ = match.groups()
    return date(int(year), int(month), int(day)).toordinal() * _DAY + _twelve(hour, minute, second, half)


def _twelve(hour: bytes, minute: bytes, second: bytes, half: bytes) -> int:
    if not 1 <= int(hour) <= 12 or int(minute) > 59 or int(second) > 59:
        raise ValueError(hour)
    return (int(hour) % 12 + (12 if half in b"Pp" else 0)) * 3600 + int(minute) * 60 + int(second)


def _zone(tail: re.Match[bytes]) -> int:
    if not tail[2]:
        return 0
    hours, minutes = int(tail[3]), int(tail[4] or 0)
    if hours > 18 or minutes > 59:
        raise ValueError(tail[0])
    return (hours * 3600 + minutes * 60) * (-1 if tail[2] == b"-" else 1)


def _number(text: str) -> float | None:
    """Seconds, or milli-, micro- or nanoseconds, by the number of digits."""
    match = _NUMBER.fullmatch(text)
    return float(text) / 1000 ** ((len(match[1]) - 9) // 3) if match else None


def _move_iso(match: re.Match[bytes], seconds: int) -> bytes:
    day, clock = divmod(_iso_local(match) + seconds, _DAY)
    moved, gap = date.fromordinal(day), b"" if match.re is _BASIC else b"-"
    colon = b"" if match.re is _BASIC else b":"
    parts = [b"%02d" % (clock // 3600), b"%02d" % (clock // 60 % 60)]
    if match[7]:
        parts.append(b"%02d" % (clock % 60))
    return (
        gap.join((b"%04d" % moved.year, b"%02d" % moved.month, b"%02d" % moved.day))
        + match[4]
        + colon.join(parts)
    )


def _move_american(match: re.Match[bytes], seconds: int) -> bytes:
    day, clock = divmod(_american_local(match) + seconds, _DAY)
    time = _clock(clock, match[5], match[8], match[9])
    return _american_date(date.fromordinal(day), match) + b" " + time


def _move_date(match: re.Match[bytes], seconds: int) -> bytes:
    moved = date(int(match[4]), int(match[1]), int(match[3])).toordinal() + round(seconds / _DAY)
    return _american_date(date.fromordinal(moved), match)


def _american_date(moved: date, match: re.Match[bytes]) -> bytes:
    """With leading zeros if the old one had them."""
    digits = b"%02d" if len(match[1]) == len(match[3]) == 2 else b"%d"
    return match[2].join((digits % moved.month, digits % moved.day, b"%04d" % moved.year))


def _move_clock(match: re.Match[bytes], seconds: int) -> bytes:
    return _clock((_twelve(*match.groups()[:4]) + seconds) % _DAY, match[1], match[4], match[5])


def _clock(clock: int, hour: bytes, half: bytes, m: bytes) -> bytes:
    digits = b"%02d" if len(hour) == 2 else b"%d"
    letter = b"PA"[clock < _DAY // 2 :][:1]
    named = letter.lower() if half.islower() else letter
    return (
        digits % ((clock // 3600 - 1) % 12 + 1) + b":%02d:%02d " % (clock // 60 % 60, clock % 60) + named + m
    )


def _move_json_date(match: re.Match[bytes], seconds: int) -> bytes:
    return match[1] + b"%d" % (int(match[2]) + seconds * 1000) + match[3]


def _move_filetime(match: re.Match[bytes], seconds: int) -> bytes:
    return b"%d" % (int(match[0]) + seconds * 10_000_000)


def _move_number(line: bytes, own: str, seconds: int) -> bytes:
    whole, point, fraction = own.partition(".")
    moved = f"{int(whole) + seconds * 1000 ** ((len(whole) - 9) // 3)}{point}{fraction}"
    return re.sub(rb"(?<![\d.])%s(?![\d.])" % re.escape(own.encode()), moved.encode(), line)


_MOVES: tuple[tuple[re.Pattern[bytes], Callable[[re.Match[bytes], int], bytes]], ...] = (
    (_ISO, _move_iso),
    (_BASIC, _move_iso),
    (_DATE, _move_date),
    (_CLOCK, _move_clock),
    (_AMERICAN, _move_american),
    (_JSON_DATE, _move_json_date),
    (_FILETIME, _move_filetime),
)


def _safely(
    move: Callable[[re.Match[bytes], int], bytes], seconds: int
) -> Callable[[re.Match[bytes]], bytes]:
    """What only looks like a time, or would leave the calendar, stays."""

    def moved(match: re.Match[bytes]) -> bytes:
        try:
            return move(match, seconds)
        except (ValueError, OverflowError):
            return match[0]

    return moved
