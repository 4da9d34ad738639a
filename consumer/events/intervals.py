"""A set of whole numbers stored as intervals, so a million consecutive ids need two numbers. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Interval = tuple[int, int]  # first and last number, both included


class Intervals:
    """Disjoint intervals in rising order; neighbouring numbers are joined."""

    __slots__ = ("ends", "starts")

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for first, last in intervals:
            self.add_range(first, last)

    def __iter__(self) -> Iterator[Interval]:
        return zip(self.starts, self.ends, strict=True)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self.starts, number) - 1
        return index >= 0 and number <= self.ends[index]

    def __bool__(self) -> bool:
        return bool(self.starts)

    def __repr__(self) -> str:
        return f"Intervals({list(self)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Intervals) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def first(self) -> int:
        return self.starts[0]

    @property
    def last(self) -> int:
        return self.ends[-1]

    def count(self) -> int:
        """How many numbers the set has."""
        return sum(self.ends) - sum(self.starts) + len(self.starts)

    def add(self, number: int) -> bool:
        """Add one number; False if it was in the set already."""
        index = bisect_right(self.starts, number) - 1
        if index >= 0 and number <= self.ends[index]:
            return False
        touches_left = index >= 0 and self.ends[index] == number - 1
        touches_right = index + 1 < len(self.starts) and self.starts[index + 1] == number + 1
        if touches_left and touches_right:
            self.ends[index] = self.ends.pop(index + 1)
            self.starts.pop(index + 1)
        elif touches_left:
            self.ends[index] = number
        elif touches_right:
            self.starts[index + 1] = number
        else:
            self.starts.insert(index + 1, number)
            self.ends.insert(index + 1, number)
        return True

    def discard(self, number: int) -> bool:
        """Remove one number; False if it was not in the set."""
        index = bisect_right(self.starts, number) - 1
        if index < 0 or number > self.ends[index]:
            return False
        first, last = self.starts[index], self.ends[index]
        left = [(first, number - 1)] if first < number else []
        right = [(number + 1, last)] if number < last else []
        self.starts[index : index + 1] = [begin for begin, _ in left + right]
        self.ends[index : index + 1] = [end for _, end in left + right]
        return True

    def add_range(self, first: int, last: int) -> None:
        """Add all of first..last; nothing if last < first."""
        if last < first:
            return
        left = bisect_right(self.starts, first) - 1
        if left < 0 or self.ends[left] < first - 1:
            left += 1
        right = bisect_right(self.starts, last + 1)
        if left < right:
            first, last = min(first, self.starts[left]), max(last, self.ends[right - 1])
        self.starts[left:right] = [first]
        self.ends[left:right] = [last]

    def meets(self, first: int, last: int) -> bool:
        """Whether any of first..last is in the set."""
        return list(self.gaps(first, last)) != [(first, last)]

    def minus(self, other: Intervals) -> Intervals:
        """The numbers of this set that are not in the other."""
        left: list[Interval] = []
        for first, last in self:
            for gap in other.gaps(first, last):
                left.append(gap)
        return Intervals(left)

    def gaps(self, first: int, last: int) -> Iterator[Interval]:
        """The numbers of first..last that are not in the set, as intervals."""
        index = max(bisect_right(self.starts, first) - 1, 0)
        while first <= last and index < len(self.starts) and self.starts[index] <= last:
            if self.starts[index] > first:
                yield first, self.starts[index] - 1
            first = max(first, self.ends[index] + 1)
            index += 1
        if first <= last:
            yield first, last
