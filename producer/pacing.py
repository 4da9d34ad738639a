"""When events are due: a schedule against a monotonic clock, so that no error adds up. Pure."""

from __future__ import annotations

import math
from typing import Protocol


class Schedule(Protocol):
    """Event 0 is due at 0 seconds."""

    def due(self, elapsed: float) -> int:
        """How many events are due in all after `elapsed` seconds."""

    def when(self, number: int) -> float:
        """When event `number` (from 0) is due, in seconds."""


class Constant:
    """`rate` events a second, evenly."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def due(self, elapsed: float) -> int:
        return math.floor(elapsed * self._rate) + 1

    def when(self, number: int) -> float:
        return number / self._rate


class Unpaced:
    """As fast as it goes."""

    def due(self, elapsed: float) -> int:
        return 2**62

    def when(self, number: int) -> float:
        return 0.0
