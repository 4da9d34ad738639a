"""One answer of win-event-stack doctor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`remedy` is what to do when it is not ok."""

    what: str
    ok: bool
    remedy: str = ""
