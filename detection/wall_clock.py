"""The clock that dates alerts: for the drivers, which hand it to what is pure."""

from __future__ import annotations

from datetime import datetime, timezone


def wall_clock() -> str:
    """Now, in UTC, to the millisecond."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
