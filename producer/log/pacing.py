"""When events are due: a schedule on a monotonic clock, so that errors do not add up. Pure."""

from __future__ import annotations

import math
import random
from typing import Protocol

from producer.events.timeline.rate_pattern import Warp, make_warp


class Schedule(Protocol):
    """Event 0 is due at 0 seconds. Callers only go forward in time."""

    def due(self, elapsed: float) -> int:
        """The total number of events due after `elapsed` seconds."""

    def when(self, number: int) -> float:
        """The time when event `number` (from 0) is due, in seconds."""


class Constant:
    """The steady schedule: `rate` events per second, evenly."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def due(self, elapsed: float) -> int:
        return math.floor(elapsed * self._rate) + 1

    def when(self, number: int) -> float:
        return number / self._rate


class Patterned:
    """A varying schedule: `rate` events per second on average, distributed by two warps with equal draws."""

    def __init__(self, rate: float, forward: Warp, backward: Warp) -> None:
        self._rate, self._forward, self._backward = rate, forward, backward

    def due(self, elapsed: float) -> int:
        return math.floor(self._forward.steady(elapsed) * self._rate + 1e-9)

    def when(self, number: int) -> float:
        return self._backward.patterned((number + 1) / self._rate)


class Unpaced:
    """As fast as it goes."""

    def due(self, elapsed: float) -> int:
        return 2**62

    def when(self, number: int) -> float:
        return 0.0


def make_schedule(rate: float | None, pattern: str, seed: int, second_of_day: float) -> Schedule:
    """The schedule for a rate and a pattern; `rate` None is as fast as possible, without a pattern."""
    if rate is None:
        return Unpaced()
    forward, backward = (
        make_warp(pattern, rate, second_of_day, random.Random(f"win-event/{seed}/pacing")) for _ in range(2)
    )
    if forward is None or backward is None:
        return Constant(rate)
    return Patterned(rate, forward, backward)
