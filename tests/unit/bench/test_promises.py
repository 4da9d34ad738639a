"""The verdict of make load: each promise breaks by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.load.promises import Found, judged, percentiles
from bench.load.run import Carried, Watched, found_in

GOOD = Found(
    asked=10_000, rate=9_990, lost=0, latencies=[20, 4_999], posted=[30], lag=12, cpu=69.9, memory=79.9
)


def broken(found: Found) -> list[str]:
    return [each.name for each in judged(found) if not each.holds]


def test_everything_within_its_limits_holds() -> None:
    assert broken(GOOD) == []


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"rate": 9_899.0}, "messages/s of one partition"),
        ({"lost": 1}, "events lost"),
        ({"latencies": [20, 5_000]}, "event to Kafka, slowest"),
        ({"cpu": 70.0}, "CPU of the stack"),
        ({"memory": 80.0}, "memory of the stack"),
        ({"posted": []}, "API to Kafka, slowest"),
    ],
)
def test_each_promise_breaks_alone(changed: dict[str, object], name: str) -> None:
    assert broken(replace(GOOD, **changed)) == [name]  # type: ignore[arg-type]


def test_a_slow_post_is_a_slow_event_too() -> None:
    assert broken(replace(GOOD, posted=[5_000])) == ["event to Kafka, slowest", "API to Kafka, slowest"]


def test_what_comes_after_the_end_is_late_and_a_copy_replaces_nothing() -> None:
    """Of six events, measured for ten seconds, one came six seconds after the end, one twice, one never."""
    came = [(1_000, 1_010, 1), (2_000, 2_010, 2), (2_000, 2_020, 2), (9_000, 16_000, 3)]
    before, after = (-50, -40, 8), (10_000, 19_000, 9)
    values = [Carried(happened, at, False, content) for happened, at, content in (before, *came, after)]
    found = found_in(1, (0, 10_000), 6, values, Watched())
    assert found.latencies == [10, 10, 20, 7_000]
    assert found.rate == 0.3
    assert found.lost == 1
    assert broken(found) == [
        "messages/s of one partition",
        "events lost",
        "event to Kafka, slowest",
        "API to Kafka, slowest",
    ]


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    assert percentiles(range(1, 101)) == {"p50": 50, "p95": 95, "p99": 99}
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None}
