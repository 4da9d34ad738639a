"""The clock for the dates of alerts; the drivers pass it to pure code."""

from __future__ import annotations

from datetime import datetime, timezone


def wall_clock() -> str:
    """Now, in UTC, to the millisecond."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
