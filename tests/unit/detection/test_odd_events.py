"""Events of every shape with odd members everywhere: no line ends the detector, whatever it holds."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.detection.rule_texts import correlation, event, rule, rule_set

from detection.detector import Detector
from detection.matching.matcher import Matcher
from detection.matching.rule_fields import Shape

BURST = correlation("event_count", "wide", "{gte: 2}", "60s", "Computer, F")
NAMED = correlation("value_count", "wide", "{field: Task, gte: 2}", "60s", "Channel").replace("l_count", "l")
RULES = rule_set(
    rule("wide", "{EventID: 4625}"),
    rule("fields", "{F|contains: a, Level: 2, Keywords: x, Provider_Name|re: p}"),
    rule("words", "['secret']"),
    BURST,
    NAMED.replace("type: value_l", "type: value_count"),
)
TIME = "2026-01-05T12:00:00Z"
SHAPES: dict[str, dict[str, Any]] = {
    "flat": {"timestamp": TIME, "source": "Security", "event_id": 4625, "data": {"F": "a"}},
    "winlogbeat": {
        "@timestamp": TIME, "log": {"level": "error"},
        "winlog": {"channel": "Security", "event_id": "4625", "event_data": {"F": "a"}},
    },
    "nxlog": {
        "EventTime": TIME, "Channel": "Security", "EventID": 4625, "F": "a", "EventType": "AUDIT_FAILURE",
        "Keywords": -9214364837600034816, "Severity": "ERROR", "Hostname": "H", "RecordNumber": 1,
    },
    "winevtlog": {
        "TimeCreated": TIME, "Channel": "Security", "EventID": 4625, "EventRecordID": 1, "Version": 0,
        "ProviderName": "Microsoft-Windows-Security-Auditing", "StringInserts": ["a", "b"], "Level": 2,
    },
    "evtx_dump": {
        "Event": {
            "System": {
                "TimeCreated": {"#attributes": {"SystemTime": TIME}}, "Channel": "Security",
                "EventID": {"#text": 4625}, "EventRecordID": 1, "Computer": "H", "Level": 2,
                "Provider": {"#attributes": {"Name": "p"}},
            },
            "EventData": {"F": "a"},
            "UserData": {"Inner": {"F": "a"}},
        }
    },
}  # fmt: skip


DEEP = {
    "lists": b"[" * 900 + b"1" + b"]" * 900,
    "texts": b'{"#text":' * 900 + b"1" + b"}" * 900,
    "both": b'[{"#text":' * 450 + b"1" + b"}]" * 450,
}
TIMES = ("9999-12-31T24:00:00Z", "0001-01-01T00:00:00+18:00", "/Date(99999999999999999999)/", "9" * 19)
_odd = st.one_of(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=4,
    ),
    st.text(max_size=9),
    st.sampled_from([*DEEP, *TIMES, "Security", 4625, "4625", "²", {"#text": [1]}, {"#attributes": []}]),
)


def _places(value: dict[str, Any], at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [(*at, name) for name in value]
    inner = [_places(each, (*at, name)) for name, each in value.items() if isinstance(each, dict)]
    return found + [place for places in inner for place in places]


def _with(shape: str, changes: dict[tuple[str, ...], Any]) -> bytes:
    found = orjson.loads(orjson.dumps(SHAPES[shape]))
    for place, value in changes.items():
        inner = found
        for name in place[:-1]:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[place[-1]] = value
    line = orjson.dumps(found)
    for name, deep in DEEP.items():  # orjson does not write what it reads
        line = line.replace(b'"' + name.encode() + b'"', deep)
    return line + b"\n"


@st.composite
def _lines(draw: st.DrawFn) -> bytes:
    shape = draw(st.sampled_from(sorted(SHAPES)))
    more = [("labels",), ("Version",), ("Message",), ("Computer",), ("event_id",), ("F",), ("Keywords",)]
    places = st.sampled_from([*_places(SHAPES[shape]), *more])
    return _with(shape, draw(st.dictionaries(places, _odd, min_size=1, max_size=3)))


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(_lines(), min_size=1, max_size=5))
def test_no_event_of_any_shape_ends_the_detector(lines: list[bytes]) -> None:
    detector = Detector(RULES)
    alerts = [*detector.feed(b"".join(lines)), *detector.rest(""), *detector.finish()]
    assert all(each.as_json() for each in alerts)
    assert detector.counts.lines == len(lines)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_that_nests_deep_is_a_value_like_others(shape: str) -> None:
    for place in _places(SHAPES[shape]):
        for value in DEEP:
            detector = Detector(RULES)
            list(detector.feed(_with(shape, {place: value}) * 2))
            assert detector.counts.lines == 2, place
    detector = Detector(RULES)
    list(detector.feed(_with(shape, {})))
    assert detector.counts.hits == 1


@pytest.mark.parametrize("time", TIMES)
def test_a_time_that_is_outside_of_all_years_is_none(time: str) -> None:
    detector = Detector(rule_set(rule("failed", "{EventID: 4625}")))
    (alert,) = detector.feed(event(0).replace(b"2026-01-05T12:00:00.0000000Z", time.encode()))
    if time != TIMES[-1]:
        assert (alert.first, detector.counts.timeless) == ("", 1)


def test_what_nobody_has_thought_of_rejects_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong with one line, the lines around it are read."""
    read = Shape.__getattribute__

    def broken(shape: Shape, name: str) -> Any:
        if name == "data":
            return lambda found: found["data"] if "F" in found["data"] else found["no such member"]
        return read(shape, name)

    monkeypatch.setattr(Shape, "__getattribute__", broken)
    matcher = Matcher(rule_set(rule("failed", "{EventID: 4625}")).rules)
    block = event(0, F="a") + event(1) + event(2, F="b")
    assert len(list(matcher.hits(block))) == 2
    assert (matcher.counts.lines, matcher.counts.rejected) == (3, 1)
