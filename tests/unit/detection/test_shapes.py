"""The four shapes of win-event-producer and evtx_dump's give the same hits."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache
from itertools import islice
from typing import Any

import orjson
import pytest
from unit.detection.rule_texts import detected, rule, rule_set

from detection.alerts import identity
from detection.matching.matcher import Matcher
from detection.matching.rule_fields import WINEVTLOG
from detection.matching.rule_set import RuleSet
from detection.running.rule_source import RuleSource
from producer.events.formats import FORMATS
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

ODD = (
    rule("provider", "{Provider_Name|startswith: 'Microsoft-Windows-Security'}"),
    rule("errors", "{Level: [1, 2]}", service="system"),
    rule("words", "{Level: error}", service="application"),
    rule("sid", "{TargetSid|endswith: '-512'}"),
    rule("keyword", "['wrong password', '*PSEXESVC*']", service="system"),
    rule("hour", "{'TimeCreated|hour|gte': 8, LogonType: 3}"),
    rule("process", "{'Image|endswith': '\\svchost.exe'}").replace(
        "service: security", "category: process_creation"
    ),
)
EXPECTED_HITS = 300


@cache
def _lines(fmt: str) -> list[bytes]:
    start = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
    settings = GeneratorSettings(
        seed=2, fmt=fmt, start_time=start, scenarios=("brute-force", "service-install", "rogue-account")
    )
    return [event.line for event in islice(generate(settings), 4_000)]


def _hits(rules: RuleSet, lines: list[bytes]) -> list[tuple[str, list[str]]]:
    matcher = Matcher(rules.rules)
    found = [
        (identity(hit), [each.head.title for each in hit.rules]) for hit in matcher.hits(b"".join(lines))
    ]
    assert (matcher.counts.lines, matcher.counts.rejected) == (len(lines), 0)
    return found


def _evtx(line: bytes) -> bytes:
    """The same event as evtx_dump writes it: no message, ids with qualifiers now and then."""
    event: dict[str, Any] = orjson.loads(line)
    number: Any = event["event_id"]
    levels = {"Critical": 1, "Error": 2, "Warning": 3, "Information": 4, "Verbose": 5}
    system = {
        "Provider": {"#attributes": {"Name": event["provider"]}},
        "EventID": {"#attributes": {"Qualifiers": 0}, "#text": number} if event["record_id"] % 2 else number,
        "Level": levels[event["level"]],
        "TimeCreated": {"#attributes": {"SystemTime": event["timestamp"]}},
        "EventRecordID": event["record_id"],
        "Channel": event["source"],
        "Computer": event["computer"],
    }
    where = (
        {"UserData": {"LogFileCleared": event["data"]}} if number == 1102 else {"EventData": event["data"]}
    )
    return orjson.dumps({"Event": {"System": system, **where}}) + b"\n"


@pytest.mark.parametrize("texts", [(), ODD], ids=["our own", "odd fields"])
def test_every_shape_gives_the_same_hits(texts: tuple[str, ...]) -> None:
    rules = rule_set(*texts) if texts else RuleSource([]).load()
    expected = _hits(rules, _lines("flat"))
    assert len(expected) > EXPECTED_HITS
    assert set(FORMATS) == {"flat", "winlogbeat", "nxlog", "winevtlog"}
    for fmt in ("winlogbeat", "nxlog", "winevtlog"):
        assert _hits(rules, _lines(fmt)) == expected, fmt
    if rules.heads.keys() & {"keyword"}:  # evtx_dump has no message to look for words in
        rules = rule_set(*(text for text in ODD if "keyword" not in text))
        expected = _hits(rules, _lines("flat"))
    assert _hits(rules, list(map(_evtx, _lines("flat")))) == expected


def test_a_pipeline_of_ones_own_renames_fields() -> None:
    pipeline = """
name: ours
priority: 10
transformations:
  - id: names
    type: field_name_mapping
    mapping: {Account: TargetUserName, kind: winlog.api}
"""
    rules = rule_set(rule("renamed", "{Account: admin, kind: wineventlog}"), pipelines=(pipeline,))
    event = {
        "winlog": {
            "channel": "Security",
            "event_id": "1",
            "api": "wineventlog",
            "event_data": {"TargetUserName": "Admin"},
        }
    }
    assert len(_found(rules, event)) == 1
    event["winlog"]["api"] = "other"
    assert _found(rules, event) == []


def _found(rules: RuleSet, event: dict[str, Any]) -> list[Any]:
    return list(Matcher(rules.rules).hits(orjson.dumps(event)))


def test_a_head_that_lies_does_not_hide_an_event() -> None:
    """Of two members with one name, the second counts in every parser, also where a line is not parsed."""
    rules = rule_set(rule("failed", "{EventID: 4625}"))
    matcher = Matcher(rules.rules)
    head = b'{"timestamp":"2026-01-05T12:00:00Z","level":"Information","source":"Security",'
    calm = head + b'"event_id":1,"data":{}}\n'
    lying = calm.replace(b"}}", b'},"event_id":4625}')
    assert [len(list(matcher.hits(block))) for block in (calm * 3, calm + lying, lying)] == [0, 1, 1]


def test_what_is_no_event_is_counted() -> None:
    matcher = Matcher(rule_set(rule("failed", "{EventID: 4625}")).rules)
    assert (
        list(matcher.hits(b'not json\n[1]\n{"a":1}\n"text"\n\n{"event_id":4625,"source":"System"}\n')) == []
    )
    assert (matcher.counts.lines, matcher.counts.rejected) == (5, 4)


SUBJECT = ["S-1-5-21-1-2-3-500", "admin", "CORP", "0x3e7"]
ACCOUNT = "S-1-5-21-1-2-3-1104"


def _winevtlog(number: int, second: int, values: list[str], version: int = 0) -> bytes:
    """An event as Fluent Bit's in_winevtlog writes it: values without names, as many as Windows has."""
    return (
        orjson.dumps(
            {
                "ProviderName": "Microsoft-Windows-Security-Auditing",
                "EventID": number,
                "Version": version,
                "TimeCreated": f"2026-01-05 12:00:{second:02} +0000",
                "EventRecordID": second,
                "Channel": "Security",
                "Computer": "DC01",
                "StringInserts": values,
            }
        )
        + b"\n"
    )


def test_values_of_windows_without_names_are_found_by_our_rules() -> None:
    attributes = ["tmp", "-", "-", *["%%1793"] * 5, "%%1794", "%%1794", "513", "-", "0x0", "0x15", "%%2080"]
    created = ["tmp", "CORP", ACCOUNT, *SUBJECT, "-", *attributes, "%%1793", "-", "%%1793"]
    assert len(created) == 26
    member = ["CN=tmp", ACCOUNT]
    lines = [
        _winevtlog(4720, 1, created),
        _winevtlog(4728, 2, [*member, "Domain Admins", "CORP", "S-1-5-21-1-2-3-512", *SUBJECT, "-"]),
        _winevtlog(4732, 3, [*member, "Administrators", "Builtin", "S-1-5-32-544", *SUBJECT, "-"]),
        _winevtlog(4726, 4, ["tmp", "CORP", ACCOUNT, *SUBJECT, "-"]),
    ]
    rules = RuleSource([]).load()
    assert "Administrator for a moment" in {alert.head.title for alert in detected(rules, *lines)}


def test_fields_have_their_names_in_older_and_newer_versions_of_an_event() -> None:
    names = ("SubjectUserSid", "SubjectUserName")
    event = orjson.loads(_winevtlog(4688, 1, ["S-1-5-18", "HOST$"], version=0))
    assert WINEVTLOG.data(event) == dict(zip(names, event["StringInserts"], strict=True))
    newer = orjson.loads(_winevtlog(4634, 1, ["S-1-5-18", "HOST$", "CORP", "0x1", "3", "more"], version=9))
    assert WINEVTLOG.data(newer)["LogonType"] == "3"
    assert WINEVTLOG.data(newer)["param6"] == "more"
    old = orjson.loads(_winevtlog(4656, 1, ["S-1-5-18"], version=0))
    assert WINEVTLOG.data(old) == {"param1": "S-1-5-18"}


def test_keywords_search_the_event_data_of_nxlog_and_nothing_of_its_own() -> None:
    rules = rule_set(rule("word", "['needle']"))
    event = {"EventID": 4625, "Channel": "Security", "TargetUserName": "a needle b", "SourceModuleName": "in"}
    assert len(_found(rules, event)) == 1
    event |= {"TargetUserName": "a", "SourceModuleName": "needle", "Hostname": "needle"}
    assert _found(rules, event) == []


@pytest.mark.parametrize(
    ("selection", "levels"),
    [
        ("{Level|lte: 2}", {"Critical", "Error"}),
        ("{Level|lt: 2}", {"Critical"}),
        ("{Level|gte: 3}", {"Warning", "Information", "Verbose"}),
        ("{Level|gt: 4}", {"Verbose"}),
        ("{Level|gt: 5}", set()),
    ],
)
def test_a_level_is_compared_as_its_number(selection: str, levels: set[str]) -> None:
    rules = rule_set(rule("grave", selection))
    found = set()
    for name, severity in LEVEL_NAMES.items():
        flat = {"source": "Security", "event_id": 1, "level": name}
        nxlog = {"Channel": "Security", "EventID": 1, "Severity": severity}
        hits = [len(_found(rules, event)) for event in (flat, nxlog)]
        assert hits in ([0, 0], [1, 1])
        found |= {name} if hits[0] else set()
    assert found == levels


LEVEL_NAMES = {
    "Critical": "CRITICAL", "Error": "ERROR", "Warning": "WARNING", "Information": "INFO", "Verbose": "DEBUG",
}  # fmt: skip
