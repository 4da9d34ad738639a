"""Windows time: ticks of 100 ns since 1970-01-01 UTC, and the time texts in events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from functools import lru_cache

TICKS_PER_SECOND = 10_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FILETIME_EPOCH = 116_444_736_000_000_000  # ticks from 1601-01-01 to 1970-01-01
_ISO_SECOND = "%Y-%m-%dT%H:%M:%S."
_FRACTION = re.compile(r"(?<=[.,])\d+")
_ZONE = re.compile(r"(\d\d(?:\.\d+)?) ?([+-])(\d\d):?(\d\d)?$")
_YEARS = range(1700, 9000)  # Windows counts from 1601; a start near that year may need times before it
_LAST_DIGITS = [f"{number:03d}Z" for number in range(1000)]
# Times are looked for in a copy of the line whose digits are all 0: every form then begins with a literal
# text, which `re` finds twice as fast as a class of digits.
_ALL_ZERO = bytes.maketrans(b"123456789", b"000000000")
_DATE_TIME = re.compile(rb"0000-00-00[T ]00:00:00(?:\.0000000Z|\.000Z| [+-]0000)?")
_CLOCK = re.compile(rb"00:00:00 [AP]M")
_DATE_TAIL = re.compile(rb"/00?/0000")  # after a month of one or two digits
_FILETIME = re.compile(b"0" * 18 + rb"(?<=\b0{18})\b")  # of the years 1920 to 2077: 1 and then 1 to 4


def to_ticks(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def from_ticks(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks // 10)


def parse_time(text: str) -> datetime:
    """ISO 8601 as people and the tools' own events write it: a date, `Z` or an offset, any number of digits.

    Without an offset it is UTC. Raises ValueError.
    """
    known = text.strip().replace(",", ".")
    known = _FRACTION.sub(lambda digits: digits[0][:6].ljust(6, "0"), known)
    if known[-1:] in ("Z", "z"):
        known = known[:-1].rstrip() + "+00:00"
    elif ":" in known or "T" in known:  # else the end of a date looks like an offset
        known = _ZONE.sub(lambda zone: f"{zone[1]}{zone[2]}{zone[3]}:{zone[4] or '00'}", known)
    try:
        moment = datetime.fromisoformat(known)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time; write 2026-01-05, 2026-01-05T08:00:00Z or …+01:00"
        ) from None
    if moment.year not in _YEARS:
        raise ValueError(f"{text!r} is outside the years {_YEARS[0]} to {_YEARS[-1]}")
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def time_texts(ticks: Iterable[int], style: str = "") -> list[str]:
    """Each time as text, like 2026-11-21T09:28:24.1778590Z; with a `style` (strftime), in whole seconds."""
    if style:
        return [_second_text(each // TICKS_PER_SECOND, style) for each in ticks]
    begin, end, prefix, texts = 0, 0, "", []
    for each in ticks:  # in a busy log, many events have the same 0.1 ms
        if not begin <= each < end:
            begin, end = each - each % 1000, each - each % 1000 + 1000
            second, fraction = divmod(begin, TICKS_PER_SECOND)
            prefix = f"{_second_text(second, _ISO_SECOND)}{fraction // 1000:04d}"
        texts.append(prefix + _LAST_DIGITS[each - begin])
    return texts


@lru_cache(maxsize=256)
def _second_text(second: int, style: str) -> str:
    return from_ticks(second * TICKS_PER_SECOND).strftime(style)


def without_times(line: bytes) -> bytes:
    """The line with every timestamp replaced by TIME: what remains depends only on the seed."""
    pieces: list[bytes] = []
    end = 0
    for first, last in sorted(_time_spans(line, line.translate(_ALL_ZERO))):
        if first >= end:
            pieces += (line[end:first], b"TIME")
            end = last
    return b"".join((*pieces, line[end:]))


def _time_spans(line: bytes, zeroed: bytes) -> list[tuple[int, int]]:
    """The positions of times in the line, not sorted; one may be inside another.

    `zeroed`: the line with 0 for every digit.
    """
    spans = [match.span() for match in _DATE_TIME.finditer(zeroed)]
    spans += [match.span() for match in _CLOCK.finditer(zeroed)]
    for match in _DATE_TAIL.finditer(zeroed):
        first, last = match.span()
        if zeroed[first - 1 : first] == b"0":
            spans.append((first - 2 if zeroed[first - 2 : first - 1] == b"0" else first - 1, last))
    for match in _FILETIME.finditer(zeroed):
        first, last = match.span()
        if line[first : first + 1] == b"1" and line[first + 1 : first + 2] in (b"1", b"2", b"3", b"4"):
            spans.append((first, last))
    return spans


def _iso(ticks: int) -> str:
    return f"{_second_text(ticks // TICKS_PER_SECOND, _ISO_SECOND)}{ticks % TICKS_PER_SECOND:07d}Z"


def _by_second(style: str) -> Callable[[int], str]:
    return lambda ticks: _second_text(ticks // TICKS_PER_SECOND, style)


# the values of time.* kinds, from the ticks of the event
TIME_TEXTS: dict[str, Callable[[int], str]] = {
    "iso": _iso,
    "earlier": lambda ticks: _iso(ticks - 3_217_459),
    "boot": lambda ticks: _iso(ticks - 142_018_233),
    "time": _by_second("%I:%M:%S %p"),
    "date": _by_second("%m/%d/%Y"),
    "seconds": _by_second("%Y-%m-%d %H:%M:%S"),
    "filetime": lambda ticks: f"{ticks + _FILETIME_EPOCH:d}",
}
