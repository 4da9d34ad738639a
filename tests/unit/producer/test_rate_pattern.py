import itertools
import random
from statistics import mean, pvariance

import pytest

from producer.events.timeline.rate_pattern import RATE_PATTERNS, make_warp
from producer.log.pacing import Constant, make_schedule


def counts(pattern: str, rate: float, seconds: int, seed: int = 3) -> list[int]:
    schedule = make_schedule(rate, pattern, seed, 0.0)
    due = [schedule.due(float(second)) for second in range(seconds + 1)]
    return [later - earlier for earlier, later in itertools.pairwise(due)]


@pytest.mark.parametrize("rate", [0.7, 3, 1000, 50_000])
def test_constant_never_drifts(rate: float) -> None:
    schedule = Constant(rate)
    assert schedule.due(0.0) == 1
    for second in (1, 59, 3600, 86_400):
        assert schedule.due(second) == int(second * rate) + 1
    assert schedule.when(schedule.due(100.0) - 1) <= 100.0 < schedule.when(schedule.due(100.0))


@pytest.mark.parametrize("pattern", RATE_PATTERNS)
def test_an_event_is_due_when_the_schedule_says(pattern: str) -> None:
    ahead, behind = make_schedule(20, pattern, 1, 30_000.0), make_schedule(20, pattern, 1, 30_000.0)
    for number in range(300):
        when = ahead.when(number)
        assert behind.due(when + 1e-6) >= number + 1


def test_poisson_has_the_variance_of_its_mean() -> None:
    own = counts("poisson", 200, 600)
    assert mean(own) == pytest.approx(200, rel=0.05)
    assert 0.75 < pvariance(own) / mean(own) < 1.3


def test_bursty_is_as_bursty_as_measured() -> None:
    """Per computer at 1.6 events/s: variance/mean 8..148, empty seconds 59..88 %, peak/mean 12..82."""
    measured = [counts("bursty", 1.6, 1800, seed) for seed in range(12)]
    dispersion = mean(pvariance(own) / mean(own) for own in measured)
    assert 20 < dispersion < 48
    assert 0.59 < mean(own.count(0) / len(own) for own in measured) < 0.9
    assert 20 < mean(max(own[:600]) / mean(own) for own in measured) < 82


def test_diurnal_is_busy_in_the_morning_and_has_the_mean_of_the_day() -> None:
    own = counts("diurnal", 10, 86_400)
    assert mean(own) == pytest.approx(10, rel=0.01)
    assert mean(own[9 * 3600 : 10 * 3600]) > 5 * mean(own[2 * 3600 : 3 * 3600])


@pytest.mark.parametrize("pattern", ["poisson", "bursty", "diurnal"])
def test_a_warp_is_its_own_inverse(pattern: str) -> None:
    forward, backward, again = (make_warp(pattern, 5.0, 0.0, random.Random(9)) for _ in range(3))
    assert forward
    assert backward
    assert again
    for second in range(1, 4000, 7):
        steady = forward.steady(second / 3)
        assert again.steady(backward.patterned(steady)) == pytest.approx(steady, abs=1e-6)
