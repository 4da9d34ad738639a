"""The same event at another time: every time in a line moves and keeps its form. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from producer.events.event_time import (
    AMERICAN,
    BASIC,
    DAY,
    FILETIME,
    ISO,
    JSON_DATE,
    NUMBER,
    american_seconds,
    iso_seconds,
    magnitude,
    twelve_hours,
)

_DATE = re.compile(rb"(?<![\d/])(\d\d?)(\\?/)(\d\d?)\\?/(\d{4})(?![\d/]| \d)")
_CLOCK = re.compile(rb"(?<![\d:/] )(?<![\d:/])(\d\d?):(\d\d):(\d\d) ([AaPp])([Mm])")


def at_another_time(line: bytes, seconds: int, own: str | None = None) -> bytes:
    """The line with every time in it moved by so many seconds; each keeps its form.

    `own`: the text of the event's time, which may be a plain number. Dates without a time move by whole days.
    """
    if own is not None and NUMBER.fullmatch(own.encode()) and not FILETIME.fullmatch(own.encode()):
        line = _move_number(line, own, seconds)
    for pattern, move in _MOVES:
        line = pattern.sub(_safely(move, seconds), line)
    return line


def _iso_seconds_of(match: re.Match[bytes]) -> int:
    year, month, day, _, hour, minute, second = match.groups()
    return iso_seconds(year, month, day, hour, minute, second)


def _move_iso(match: re.Match[bytes], seconds: int) -> bytes:
    day, clock = divmod(_iso_seconds_of(match) + seconds, DAY)
    moved, gap = date.fromordinal(day), b"" if match.re is BASIC else b"-"
    colon = b"" if match.re is BASIC else b":"
    parts = [b"%02d" % (clock // 3600), b"%02d" % (clock // 60 % 60)]
    if match[7]:
        parts.append(b"%02d" % (clock % 60))
    return (
        gap.join((b"%04d" % moved.year, b"%02d" % moved.month, b"%02d" % moved.day))
        + match[4]
        + colon.join(parts)
    )


def _move_american(match: re.Match[bytes], seconds: int) -> bytes:
    day, clock = divmod(american_seconds(match) + seconds, DAY)
    time = _clock(clock, match[5], match[8], match[9])
    return _american_date(date.fromordinal(day), match) + b" " + time


def _move_date(match: re.Match[bytes], seconds: int) -> bytes:
    moved = date(int(match[4]), int(match[1]), int(match[3])).toordinal() + round(seconds / DAY)
    return _american_date(date.fromordinal(moved), match)


def _american_date(moved: date, match: re.Match[bytes]) -> bytes:
    """The date in the American form, with leading zeros if the old one had them."""
    digits = b"%02d" if len(match[1]) == len(match[3]) == 2 else b"%d"
    return match[2].join((digits % moved.month, digits % moved.day, b"%04d" % moved.year))


def _move_clock(match: re.Match[bytes], seconds: int) -> bytes:
    return _clock((twelve_hours(*match.groups()[:4]) + seconds) % DAY, match[1], match[4], match[5])


def _clock(clock: int, hour: bytes, half: bytes, m: bytes) -> bytes:
    digits = b"%02d" if len(hour) == 2 else b"%d"
    letter = b"PA"[clock < DAY // 2 :][:1]
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
    moved = f"{int(whole) + seconds * 1000 ** magnitude(whole.encode())}{point}{fraction}"
    return re.sub(rb"(?<![\d.])%s(?![\d.])" % re.escape(own.encode()), moved.encode(), line)


_MOVES: tuple[tuple[re.Pattern[bytes], Callable[[re.Match[bytes], int], bytes]], ...] = (
    (ISO, _move_iso),
    (BASIC, _move_iso),
    (_DATE, _move_date),
    (_CLOCK, _move_clock),
    (AMERICAN, _move_american),
    (JSON_DATE, _move_json_date),
    (FILETIME, _move_filetime),
)


def _safely(
    move: Callable[[re.Match[bytes], int], bytes], seconds: int
) -> Callable[[re.Match[bytes]], bytes]:
    """A text that only looks like a time, or would leave the calendar, stays unchanged."""

    def moved(match: re.Match[bytes]) -> bytes:
        try:
            return move(match, seconds)
        except (ValueError, OverflowError):
            return match[0]

    return moved
