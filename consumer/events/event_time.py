"""Event time as milliseconds since 1970, from the text forms the event shapes use. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_FORM = re.compile(
    rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?(Z|[+-]\d\d:?\d\d)?$",
).match


def to_milliseconds(text: bytes) -> int | None:
    """Milliseconds (cut, not rounded), or None when `text` is no time; without a zone it is taken as UTC."""
    form = _FORM(text)
    if form is None:
        return None
    seconds, fraction, zone = form.groups()
    try:
        moment = datetime.fromisoformat(seconds.decode()).replace(tzinfo=_zone(zone))
    except ValueError:
        return None  # the 13th month
    return int(moment.timestamp()) * 1000 + int((fraction or b"0").ljust(3, b"0")[:3])


def _zone(text: bytes | None) -> timezone:
    if text is None or text == b"Z":
        return timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[:1] == b"-" else minutes))
