"""Two runs of one seed have the same lines, except for the times."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.events.clock import without_times
from producer.events.formats import FORMATS
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

# The definition, in one expression; without_times() finds the same faster.
TIMES = re.compile(
    rb"\d(?:\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{7}Z|\.\d{3}Z| [+-]\d{4})?"
    rb"|\d:\d\d:\d\d [AP]M|\d?/\d{1,2}/\d{4}|(?<=\b1)[1-4]\d{16}\b)"
)


@pytest.mark.parametrize("fmt", FORMATS)
def test_generated_lines(fmt: str) -> None:
    settings = GeneratorSettings(fmt=fmt, start_time=datetime(2026, 11, 21, tzinfo=timezone.utc))
    for event in islice(generate(settings), 3000):
        assert without_times(event.line) == TIMES.sub(b"TIME", event.line)


_PIECES = (
    b"2026-11-21", b"2026-11-21T09:28:24", b"09:28:24", b".1778590Z", b".177Z", b"+0100", b"PM",
    b"11/21/2026", b"1/2/3333", b"134077552041778590", b"934077552041778590", b"7", b"x", b"-", b"/",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES)), st.sampled_from([b" ", b'"', b", ", b"x", b"T"]))
def test_any_mixture(pieces: list[bytes], between: bytes) -> None:
    line = between.join(pieces)
    assert without_times(line) == TIMES.sub(b"TIME", line)
