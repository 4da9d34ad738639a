from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consumer.events.intervals import Intervals

numbers = st.lists(st.integers(1, 60), max_size=60)


def members(intervals):
    return {number for first, last in intervals for number in range(first, last + 1)}


def is_tidy(intervals):
    """In order, and a hole between any two."""
    pairs = list(intervals)
    return all(a <= b for a, b in pairs) and all(left[1] + 1 < right[0] for left, right in pairwise(pairs))


@given(numbers)
def test_adding_one_by_one_is_a_set(values):
    intervals, model = Intervals(), set()
    for value in values:
        assert intervals.add(value) == (value not in model)
        model.add(value)
        assert is_tidy(intervals)
    assert members(intervals) == model
    assert intervals.count() == len(model)
    assert all((number in intervals) == (number in model) for number in range(70))


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(-2, 12)), max_size=12))
def test_adding_ranges_is_a_union(ranges):
    intervals, model = Intervals(), set()
    for first, length in ranges:
        intervals.add_range(first, first + length)
        model |= set(range(first, first + length + 1))
        assert is_tidy(intervals)
    assert members(intervals) == model


@given(numbers, numbers)
def test_minus_is_a_difference(left, right):
    remaining = Intervals((n, n) for n in left).minus(Intervals((n, n) for n in right))
    assert is_tidy(remaining)
    assert members(remaining) == set(left) - set(right)


@given(numbers, st.integers(1, 60), st.integers(0, 20))
def test_gaps_are_what_is_missing(values, first, length):
    gaps = list(Intervals((n, n) for n in values).gaps(first, first + length))
    assert members(gaps) == set(range(first, first + length + 1)) - set(values)
