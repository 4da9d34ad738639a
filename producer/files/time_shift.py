"""Makes old events recent. Pure."""

from __future__ import annotations

import math

from producer.event_fields import TIMESTAMP_FIELDS
from producer.events.event_time import read_time
from producer.events.line_rule import first_of, parse_object
from producer.files.moved_times import at_another_time


class TimeShift:
    """Moves all times of an event by the amount that makes the first event happen now.

    The amount stays the same, so events keep their distances, until an event would be in the future: that one
    happens now, and a smaller amount is used from there on. `untimed` counts events without a time.
    """

    def __init__(self) -> None:
        self._by: int | None = None
        self.untimed = 0

    def restart(self) -> None:
        """Treat the next event as the first one."""
        self._by = None

    def move(self, line: bytes, now: float) -> bytes:
        """The line of an event that is sent at `now` (seconds since 1970)."""
        event = parse_object(line)
        own = first_of(event, TIMESTAMP_FIELDS) if event else None
        at = read_time(own) if own is not None else None
        if at is None:
            self.untimed += 1
        elif self._by is None or at + self._by > now:
            self._by = math.floor(now - at)
        return line if self._by is None else at_another_time(line, self._by, own)
