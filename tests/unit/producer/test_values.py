"""What is drawn in bulk has the form and the spread that its kind promises."""

import random
import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.events.catalogue.event_catalogue import load_catalogue
from producer.events.catalogue.values import column_index, draw_of, drawn_values
from producer.events.clock import TIME_TEXTS, time_texts

TABLES = load_catalogue().tables


def drawn(kind: str, count: int, seed: int = 1) -> list:
    return list(islice(drawn_values(draw_of(kind), TABLES, random.Random(seed)), count))


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("event.guid", r"\{[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}\}"),
        ("event.hex:15", r"[0-9a-f]{15}"),
        ("event.hexnumber:4", r"0x[0-9a-f]{1,4}"),
        ("event.pid", r"0x[0-9a-f]{3,4}"),
        ("event.tid", r"[1-9]\d{1,3}"),
        ("event.address", r"10\.20\.\d{1,2}\.[1-9]\d{0,2}"),
        ("event.public_address", r"(192\.0\.2|198\.51\.100|203\.0\.113|198\.18\.7)\.[1-9]\d{0,2}"),
        ("event.sid", r"-\d{4}"),
        ("event.int:49152:65535", r"49[1-9]\d\d|[56]\d{4}"),
    ],
)
def test_every_function_draws_texts_of_its_form(kind: str, pattern: str) -> None:
    values = drawn(kind, 3000)
    assert all(re.fullmatch(pattern, value) for value in values)
    assert values == drawn(kind, 3000)
    assert values != drawn(kind, 3000, seed=2)


def test_guids_do_not_repeat_and_every_digit_is_random() -> None:
    guids = drawn("event.guid", 20_000)
    assert len(set(guids)) == len(guids)
    for place in (1, 12, 16, 22, 36):
        assert len(Counter(guid[place] for guid in guids)) == 16


def test_thread_ids_are_even_over_their_range() -> None:
    numbers = Counter(int(value) for value in drawn("event.tid", 240_000))
    assert set(numbers) == set(range(80, 9680, 4))
    assert max(numbers.values()) < 2 * 100


def test_a_row_holds_its_columns_and_then_their_texts_in_messages() -> None:
    value = column_index("story.logon.elevated", TABLES)
    text = column_index("story.logon.elevated|text", TABLES)
    shown = {(row[value], row[text]) for row in drawn("story.logon.type", 2000)}
    assert shown == {("%%1842", "Yes"), ("%%1843", "No")}


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 4 * 10**16), max_size=20), st.integers(0, 4 * 10**16), st.integers(1, 10**8))
def test_times_are_written_to_the_tick_in_any_order(ticks: list[int], first: int, step: int) -> None:
    ticks += range(first, first + 50 * step, step)
    expected = [
        f"{_EPOCH + timedelta(seconds=each // 10**7):%Y-%m-%dT%H:%M:%S}.{each % 10**7:07d}Z" for each in ticks
    ]
    assert time_texts(ticks) == expected
    assert [TIME_TEXTS["iso"](each) for each in ticks] == expected
