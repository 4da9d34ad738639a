"""The limits of a correlation. Options import this module; it does not load pySigma, which takes a second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """`window`: most events in one group; the oldest are removed first. `groups`: most groups of one rule."""

    window: int = 100_000
    groups: int = 100_000


DEFAULT_BOUNDS = Bounds()
