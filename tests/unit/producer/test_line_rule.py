"""The rule of what a valid line is, in Python, against the examples that hold for every parser here."""

from __future__ import annotations

import pytest
from conformance.cases import LINES, LineCase

from producer.events.line_rule import parse_object, read_line


@pytest.mark.parametrize("case", LINES, ids=[case.name for case in LINES])
def test_every_example(case: LineCase) -> None:
    found = read_line(case.line)
    assert (found.reason, found.key) == (case.reason, case.key)
    assert (found.event is not None) == case.is_event
    if case.is_object:
        assert parse_object(case.line) is not None


def test_a_character_that_stands_for_half_a_pair_may_stand_in_a_line() -> None:
    line = '{"computer": "\ufdd0", "x": [1e400, "%s"]}'
    for other, key in ((r"\u0041", "\ufdd0"), (r"\ud800", "\ufdd0"), ("\ufdd1", "\ufdd0")):
        assert read_line((line % other).encode()).key == key
    assert read_line(line.replace("\ufdd0", r"\ufdd0\ud800").encode()).reason == "not-json"
