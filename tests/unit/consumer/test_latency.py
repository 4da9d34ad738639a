from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.verify.audit.latency import AppendTimes, Latency
from producer.events.event_time import to_milliseconds

EVENT = b"2026-11-21T09:28:24.1778590Z"
HAPPENED = int(datetime(2026, 11, 21, 9, 28, 24, tzinfo=timezone.utc).timestamp()) * 1000 + 177


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        (EVENT, HAPPENED),
        (b"2026-11-21 09:28:24", HAPPENED - 177),
        (b"2026-11-21 10:28:24 +0100", HAPPENED - 177),
        (b"2026-11-21T03:58:24.5-05:30", HAPPENED + 323),
        (b"2026-13-21T09:28:24Z", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
def test_event_time_in_the_forms_that_shapes_use(text, milliseconds):
    assert to_milliseconds(text) == milliseconds


@given(st.lists(st.integers(-50, 9_999), min_size=1), st.integers(1, 5))
def test_percentiles_are_those_of_the_sorted_list(latencies, batches):
    times = AppendTimes()
    for start in range(batches):
        times.add((EVENT, HAPPENED + latency) for latency in latencies[start::batches])
    ranked = sorted(latencies)
    at = [-(-len(ranked) * percent // 100) - 1 for percent in (50, 99)]
    expected = None if set(ranked) == {0} else Latency(ranked[at[0]], ranked[at[1]], ranked[-1])
    assert times.summary() == expected
    assert times.seconds() == (ranked[-1] - ranked[0]) / 1000


@given(
    st.lists(st.sampled_from([EVENT, EVENT[:-1] + b"X", b"2026-11-21T09:28:25.0000000Z", b"?"]), min_size=1)
)
def test_mixed_forms_are_measured_one_by_one(texts):
    times = AppendTimes()
    times.add((text, HAPPENED + 1000) for text in texts)
    known = [to_milliseconds(text) for text in texts if to_milliseconds(text) is not None]
    assert (times.summary().max if known else times.summary()) == (
        HAPPENED + 1000 - min(known) if known else None
    )


def test_above_ten_seconds_three_digits_are_kept_and_the_maximum_is_exact():
    times = AppendTimes()
    times.add((EVENT, HAPPENED + latency) for latency in (12_345, 12_399, 99_999))
    assert times.summary() == Latency(12_300, 99_900, 99_999)
