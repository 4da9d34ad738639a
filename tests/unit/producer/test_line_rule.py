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
