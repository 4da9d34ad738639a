"""One event in every shape: the page and the tail show the same level, computer, channel and id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.state.event import OTHER, read_event
from consumer.events.event_view import view
from producer.event_shapes import SEVERITY

Shown = tuple[str, str, str, int]  # level, computer, channel, event id

_WAZUH = {"eventID": "4624", "level": "0", "channel": "Security", "computer": "pc07"}
_NXLOG = {"RecordNumber": 4, "Hostname": "A", "Channel": "Security", "EventID": 4625}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"record_id": 1, "level": "Error", "source": "System", "event_id": 7031, "computer": "A"},
            ("Error", "A", "System", 7031),
        ),
        ({"level": "Error", "source": "System", "event_id": 7, "computer": "A"}, ("Error", "A", "System", 7)),
        (
            {
                "log": {"level": "information"},
                "source": {"ip": "192.0.2.1"},
                "winlog": {"record_id": 2, "channel": "Security", "event_id": "4624", "computer_name": "B"},
            },
            ("Information", "B", "Security", 4624),
        ),
        (_NXLOG | {"Severity": "WARNING", "EventType": "WARNING"}, ("Warning", "A", "Security", 4625)),
        (_NXLOG | {"Severity": "DEBUG", "EventType": "VERBOSE"}, ("Verbose", "A", "Security", 4625)),
        (
            _NXLOG | {"Severity": "ERROR", "EventType": "AUDIT_FAILURE"},
            ("Information", "A", "Security", 4625),
        ),
        (
            {"Severity": "ERROR", "EventType": "AUDIT_FAILURE", "Channel": "Security", "Hostname": "A"},
            ("Information", "A", "Security", 0),
        ),
        ({"Severity": "WARNING", "Channel": "System", "Hostname": "C"}, ("Warning", "C", "System", 0)),
        (
            {"RecordNumber": 4, "EventID": 4625, "EventType": "FailureAudit", "Channel": "Security",
             "ComputerName": "SRV-021"},
            ("Information", "SRV-021", "Security", 4625),
        ),
        (
            {"EventRecordID": 5, "Level": 2, "Channel": "System", "EventID": 1, "Computer": "D"},
            ("Error", "D", "System", 1),
        ),
        (
            {"EventRecordID": 5, "Level": 0, "Channel": "Security", "EventID": 1, "Computer": "D"},
            ("Information", "D", "Security", 1),
        ),
        (
            {"Event": {"System": {"EventID": 7031, "Level": 2, "Channel": "System", "Computer": "A"}}},
            ("Error", "A", "System", 7031),
        ),
        (
            {"Event": {"System": {"EventID": {"#text": 7036, "#attributes": {}}, "Level": 4,
                                  "Channel": "System", "Computer": "A"}}},
            ("Information", "A", "System", 7036),
        ),
        ({"data": {"win": {"system": _WAZUH}}}, ("Information", "pc07", "Security", 4624)),
        (
            {"Id": 4625, "LevelDisplayName": "Information", "LogName": "Security", "MachineName": "E"},
            ("Information", "E", "Security", 4625),
        ),
        ({"record_id": 1, "level": "warn", "computer": ["A"]}, ("Warning", "", "", 0)),
        ({"record_id": 1, "level": {"not": "text"}}, ("", "", "", 0)),
        ({"record_id": 1, "level": "loud"}, ("loud", "", "", 0)),
        ({"message": "no event"}, ("", "", "", 0)),
    ],
)  # fmt: skip
def test_page_and_tail_show_the_same(event: dict[str, Any], expected: Shown) -> None:
    line = json.dumps(event).encode()
    tailed = view(line)
    assert tailed is not None
    assert (tailed.level, tailed.computer, tailed.source, tailed.event_id) == expected

    shown = read_event(1, 0, 0, 0.0, line)
    level, computer, channel, number = expected
    page_level = level if level in SEVERITY else OTHER  # the page counts by level, and needs a fixed set
    assert (shown.level, shown.computer, shown.source, int(shown.event_id or 0)) == (
        page_level,
        computer,
        channel,
        number,
    )


@pytest.mark.parametrize("kind", ["AUDIT_FAILURE", "FailureAudit"])
def test_a_failed_audit_is_told_by_its_type(kind: str) -> None:
    tailed = view(json.dumps({"RecordNumber": 4, "EventID": 4776, "EventType": kind}).encode())
    assert tailed is not None
    assert (tailed.event_type, tailed.failed) == ("Audit Failure", True)
