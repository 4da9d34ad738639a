"""Records become events: every shape that the bridge knows, and records that are not events."""

from __future__ import annotations

import json

import pytest

from console.state.event import LEVELS, OTHER, latency, message, read_event, seconds


def event(value: bytes, arrived: float = 0.0):
    return read_event(1, 0, 7, arrived, value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            {"level": "Error", "source": "System", "event_id": 7031, "computer": "A"},
            ("Error", "System", "7031", "A"),
        ),
        (
            {
                "log": {"level": "information"},
                "winlog": {"channel": "Security", "event_id": "4624", "computer_name": "B"},
            },
            ("Information", "Security", "4624", "B"),
        ),
        (
            {"Severity": "WARNING", "Channel": "System", "EventID": 1, "Hostname": "C"},
            ("Warning", "System", "1", "C"),
        ),
        ({"Level": 2, "Channel": "System", "EventID": 1, "Computer": "D"}, ("Error", "System", "1", "D")),
        ({"level": "loud"}, (OTHER, "", "", "")),
        ({"level": {"not": "text"}, "computer": ["A"]}, (OTHER, "", "", "")),
        ({"log": "not an object"}, (OTHER, "", "", "")),
    ],
)
def test_fields_are_found_in_every_shape(line: object, expected: tuple[str, ...]) -> None:
    found = event(json.dumps(line).encode())
    assert (found.level, found.source, found.event_id, found.computer) == expected


@pytest.mark.parametrize("value", [b"", b"\xff\xfe", b"[1,2]", b"null", b"{", b"[" * 2000, b'{"a":1}{'])
def test_what_is_no_object_is_an_event_of_no_level(value: bytes) -> None:
    found = event(value)
    assert (found.level, found.computer, message(found), latency(found)) == (OTHER, "", "", None)
    assert found.value == value


def test_latency_is_from_the_events_own_time() -> None:
    found = event(b'{"timestamp":"1970-01-01T00:00:10.2500000Z"}', arrived=12.0)
    assert latency(found) == pytest.approx(1.75)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-11-21 09:28:24", "2026-13-01T00:00:00Z", "2026-11-21T09:28:24+01:00"]
)
def test_a_time_that_cannot_be_read_has_no_latency(text: str) -> None:
    assert seconds(text) is None


def test_every_level_of_the_page_is_one_of_windows() -> None:
    assert LEVELS == ("Critical", "Error", "Warning", "Information", "Verbose")
