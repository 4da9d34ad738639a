"""The console remembers the right things, and not without limit."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import pytest

from console.state.business import TOP, WINDOW, Business
from console.state.event import logon_account, read_event
from console.state.recent import Recent
from console.state.results import Results, Row
from console.state.series import NAMES, SECONDS, Series


def row(key: str, offset: int, topic: str = "top_5m", **fields: object) -> Row:
    return Row(topic, key, 0, offset, float(offset), fields)


def test_a_later_row_of_a_key_replaces_the_earlier_and_moves_up() -> None:
    results = Results()
    for key, offset in (("a", 0), ("b", 1), ("a", 2)):
        results.put(row(key, offset))
    assert [(each.key, each.offset) for each in results.newest("top_5m", 10)] == [("a", 2), ("b", 1)]
    assert results.newest("top_5m", 1)[0].offset == 2
    assert [each.since for each in results.newest("top_5m", 10)] == [
        0.0,
        1.0,
    ]  # of the first record of the key
    assert results.newest("alerts", 10) == []


def test_a_tombstone_removes_its_row_and_the_version_tells_of_every_change() -> None:
    results, versions = Results(), []
    for change in (
        lambda: results.put(row("a", 0)),
        lambda: results.remove("top_5m", "a"),
        lambda: results.remove("top_5m", "a"),
    ):
        change()
        versions.append(results.version("top_5m"))
    assert versions == [1, 2, 2]
    assert results.count("top_5m") == 0


def test_rows_are_bounded_by_topic() -> None:
    results = Results(max_rows=3)
    for number in range(10):
        results.put(row(str(number), number))
    results.put(row("other", 0, topic="alerts"))
    assert [each.key for each in results.newest("top_5m", 100)] == ["9", "8", "7"]
    assert results.count("alerts") == 1


def test_rows_of_a_topic_that_was_made_anew_go_with_their_partition() -> None:
    results = Results()
    results.put(row("a", 7))
    results.put(replace(row("b", 8), partition=1))
    before = results.version("top_5m")
    results.forget("top_5m", 0)
    results.forget("alerts", 0)
    assert [each.key for each in results.newest("top_5m", 10)] == ["b"]
    assert results.version("top_5m") > before


def test_recent_events_are_bounded_and_told_once() -> None:
    recent, numbers = Recent[object](100), count(1)
    for _ in range(150):
        recent.add(read_event(next(numbers), 0, 0, 0.0, b"{}"))
    assert [each.sequence for each in recent.newest(3)] == [150, 149, 148]
    assert len(recent.newest(1000)) == 100
    assert [each.sequence for each in recent.newest(1000, after=148)] == [150, 149]
    assert recent.newest(1000, after=150) == []
    assert [each.sequence for each in recent.newest(2, wanted=lambda e: e.sequence % 50 == 1)] == [101, 51]


def test_seconds_are_counted_by_level_and_the_running_one_is_left_out() -> None:
    series = Series()
    for now, level, delay in (
        (10.1, "Error", 0.2),
        (10.9, "Error", 0.4),
        (10.95, "Information", None),
        (11.0, "Other", 1.0),
    ):
        series.event(now, level, delay)
    series.rejected(10.5)
    series.alert(10.5)
    (only,) = series.rows(0, now=11.5)
    assert only[0] == 10
    assert dict(zip(NAMES, only[1:], strict=False))["Error"] == 2
    assert only[1 + len(NAMES) :] == [1, 1, 0.2, 0.4, 0.4]
    assert series.totals["Error"] == 2
    assert [each[0] for each in series.rows(11, now=12.0)] == [11]


def test_the_series_keeps_five_minutes() -> None:
    series = Series()
    for second in range(1000):
        series.event(float(second), "Verbose", None)
    assert len(series.rows(0, 2000.0)) == SECONDS
    assert series.totals["Verbose"] == 1000


def test_the_accounts_that_fail_most_are_those_of_the_last_minutes() -> None:
    business = Business()
    for account, failures in (("old", 50), ("a", 1), ("b", 3)):
        for _ in range(failures):
            business.logon(0.0 if account == "old" else WINDOW, "failure", account)
    business.logon(WINDOW, "success", "c")
    assert business.logons() == {"success": 1, "failure": 54}
    assert list(business.top_failures(WINDOW - 11).items()) == [("old", 50), ("b", 3), ("a", 1)]
    assert list(business.top_failures(WINDOW + 11).items()) == [("b", 3), ("a", 1)]
    assert business.top_failures(2 * WINDOW + 11) == {}


def test_an_attack_with_many_names_stays_bounded() -> None:
    business = Business()
    for number in range(5_000):
        business.logon(1.0, "failure", f"user{number}")
        business.alert(f"rule{number}")
    top = business.top_failures(1.0)
    assert len(top) == TOP
    assert top["(others)"] == 3_000
    assert business.alerts()["(others)"] == 3_000
    assert business.logons()["failure"] == 5_000


@pytest.mark.parametrize(
    "fields",
    [
        {"data": {"TargetUserName": "n.haddad"}},
        {"winlog": {"event_data": {"TargetUserName": "n.haddad"}}},
        {"TargetUserName": "n.haddad"},
        {"StringInserts": ["S-1-0-0", "-", "-", "0x0", "S-1-0-0", "n.haddad", "CORP"]},
    ],
    ids=["flat", "winlogbeat", "nxlog", "winevtlog"],
)
def test_an_account_is_found_in_every_shape(fields: dict[str, object]) -> None:
    line = json.dumps(fields | {"EventID": 4625}).encode()
    assert logon_account(read_event(1, 0, 0, 0.0, line)) == "n.haddad"
    assert logon_account(read_event(1, 0, 0, 0.0, b'{"EventID": 4625, "StringInserts": ["x"]}')) == ""
