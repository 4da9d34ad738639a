"""Percentiles by the nearest rank: the smallest value that this many per cent of all do not exceed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Value = TypeVar("Value")


def nearest_rank(percent: float, count: int) -> int:
    """The rank of the percentile among `count` values in order, from 1 on; `percent` is 0 to 100."""
    return max(int(-(-count * percent // 100)), 1)


def percentile(ordered: Sequence[Value], percent: float) -> Value | None:
    """The percentile of values in ascending order; None without values."""
    return ordered[nearest_rank(percent, len(ordered)) - 1] if ordered else None
