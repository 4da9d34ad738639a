"""The pattern of the event rate over time: how fast the clock of arrivals runs, second by second. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

RATE_PATTERNS = ("constant", "poisson", "bursty", "diurnal")

# A gamma distribution with this alpha gives seconds as they are measured on single computers at 1.6 events/s
# (OTRF Security-Datasets, 179 host captures): about 80 % empty, variance/mean near 32, peak/mean near 35.
_BURST_ALPHA = 0.05
# Share of the mean rate by hour of the day, an office's day; the mean of the 24 is 1.
_HOURS = (
    0.3, 0.25, 0.25, 0.3, 0.3, 0.35, 0.55, 1.1, 2.1, 2.2, 2.0, 1.8,
    1.5, 1.8, 2.0, 1.9, 1.7, 1.3, 0.7, 0.45, 0.35, 0.3, 0.25, 0.25,
)  # fmt: skip
_POISSON_SLOT = 0.01  # seconds: finer than anyone can notice in the arrivals


class Warp:
    """Maps seconds of a steady clock to seconds of a patterned one, and back.

    Both start at 0 and only go forward.
    """

    def __init__(self, slot: float, multipliers: Iterator[float]) -> None:
        self._slot, self._multipliers = slot, multipliers
        self._number, self._begin = 0, 0.0  # the current slot, and the steady time at its start
        self._multiplier = next(multipliers)

    def steady(self, patterned: float) -> float:
        """The steady time that corresponds to `patterned` seconds."""
        while patterned >= (self._number + 1) * self._slot:
            self._advance()
        return self._begin + (patterned - self._number * self._slot) * self._multiplier

    def patterned(self, steady: float) -> float:
        """The patterned time that corresponds to `steady` seconds."""
        while steady >= self._begin + self._slot * self._multiplier:
            self._advance()
        inside = max(steady - self._begin, 0.0)
        return self._number * self._slot + (inside / self._multiplier if self._multiplier else 0.0)

    def _advance(self) -> None:
        self._begin += self._slot * self._multiplier
        self._number += 1
        self._multiplier = next(self._multipliers)


def make_warp(pattern: str, rate: float, second_of_day: float, rng: random.Random) -> Warp | None:
    """The warp of `pattern` at `rate` events per second; None when the clock runs evenly."""
    if pattern == "poisson":
        return Warp(_POISSON_SLOT, _poisson(rate * _POISSON_SLOT, rng))
    if pattern == "bursty":
        return Warp(1.0, _bursts(rng))
    if pattern == "diurnal":
        return Warp(60.0, _day(second_of_day))
    return None


def _poisson(mean: float, rng: random.Random) -> Iterator[float]:
    while True:
        if mean > 50.0:
            yield max(rng.gauss(mean, math.sqrt(mean)), 0.0) / mean
            continue
        count, gap = 0, rng.expovariate(1.0)
        while gap < mean:
            count += 1
            gap += rng.expovariate(1.0)
        yield count / mean


def _bursts(rng: random.Random) -> Iterator[float]:
    while True:
        yield rng.gammavariate(_BURST_ALPHA, 1.0 / _BURST_ALPHA)


def _day(second_of_day: float) -> Iterator[float]:
    minute = 0
    while True:
        hour, part = divmod((second_of_day / 3600.0 + minute / 60.0) % 24.0, 1.0)
        here, following = _HOURS[int(hour)], _HOURS[(int(hour) + 1) % 24]
        yield here + (following - here) * part
        minute += 1
