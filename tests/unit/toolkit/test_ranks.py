"""A percentile is the smallest value that so many per cent of all values do not exceed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.ranks import percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (0.5, 1), (50, 50), (99, 99), (99.9, 100), (100, 100)]
)
def test_percentiles_of_one_to_a_hundred(percent: float, expected: int) -> None:
    assert percentile(range(1, 101), percent) == expected


@given(st.lists(st.integers(), min_size=1), st.integers(0, 100))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[int], percent: int
) -> None:
    enough = [
        each for each in values if sum(other <= each for other in values) * 100 >= percent * len(values)
    ]
    assert percentile(sorted(values), percent) == min(enough)


def test_without_values_there_is_none() -> None:
    assert percentile([], 50) is None
