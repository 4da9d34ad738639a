"""The bridge's rule of what an event is, run in a JVM without a cluster."""

from __future__ import annotations

import calendar
import json
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conformance.cases import LINES, TIMESTAMPS
from examples import examples
from hostile import hostile_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flink_bridge.jvm.field_path import first_of, parse_fields
from flink_bridge.jvm.sorting import line_options
from flink_bridge.presets import PRESETS
from flink_bridge.settings import EventSettings
from producer.events.formats import FORMATS
from producer.events.generator import GeneratorSettings, generate
from producer.events.line_rule import read_line

pytestmark = pytest.mark.programs

FOLDER = Path(__file__).resolve().parent / "loggers"
NOW = 1_795_608_000_000  # 2026-11-25T12:00:00Z
DAY = 24 * 3_600_000


class Verdict(NamedTuple):
    reason: str | None
    key: bytes | None = None
    time: int | None = None
    late: bool = False
    headers: list[bytes | None] | None = None


class Parser:
    def __init__(self, verdicts: Any) -> None:
        self._verdicts = verdicts

    def lines(self, lines: list[bytes], events: EventSettings, **options: Any) -> list[Verdict]:
        told = json.dumps({**line_options(events), **options})
        said = self._verdicts.ofLines(told, b"\n".join(lines), NOW + DAY).splitlines()
        assert len(said) == len(lines)
        return [_verdict(text) for text in said]

    def part(self, marked: str, part: bytes) -> str | None:
        """The reason for bytes that are not a whole line."""
        said = self._verdicts.ofPart(json.dumps(line_options(EventSettings())), marked, part, NOW)
        return _verdict(said).reason

    def times(self, texts: list[str], zone: str = "UTC") -> list[int | None]:
        said = self._verdicts.ofTimes("\n".join(texts), zone, NOW).splitlines()
        return [None if text == "none" else int(text) for text in said]


def _verdict(text: str) -> Verdict:
    kind, *rest = text.split(" ")
    if kind != "event":
        return Verdict(text.removeprefix("reason "))
    time = None if rest[0] == str(-(2**63)) else int(rest[0])
    headers = [None if text == "-" else bytes.fromhex(text[1:]) for text in rest[3:]]
    return Verdict(None, bytes.fromhex(rest[2]), time, rest[1] == "true", headers)


@pytest.fixture(scope="session")
def parser(compile_java: Any) -> Parser:
    driver = compile_java("EventTime", "RejectedLine", "EventLine", FOLDER.parent / "Verdicts")
    return Parser(driver.newInstance())


def test_every_example_of_a_line(parser: Parser) -> None:
    found = parser.lines([case.line for case in LINES], EventSettings())
    # One at a time too: what stands beside a line in its block changes nothing.
    alone = [parser.lines([case.line], EventSettings())[0] for case in LINES]
    for case, verdict, apart in zip(LINES, found, alone, strict=True):
        expected = None if case.key is None else case.key.encode()
        assert (verdict.reason, verdict.key) == (case.reason, expected), case.name
        assert apart == verdict, case.name


def test_every_example_of_a_time(parser: Parser) -> None:
    texts = [case.text if isinstance(case.text, str) else json.dumps(case.text) for case in TIMESTAMPS]
    found = parser.times(texts)
    for case, milliseconds in zip(TIMESTAMPS, found, strict=True):
        assert milliseconds == case.milliseconds, case.text


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_hostile_lines_by_both_rules(parser: Parser, count: int) -> None:
    lines = [line for line in hostile_lines(count) if line]
    found = parser.lines(lines, EventSettings(event_timestamps=False))
    differ = []
    for line, verdict in zip(lines, found, strict=True):
        rule = read_line(line)
        same_key = verdict.key is None if rule.key is None else verdict.key == rule.key.encode()
        if verdict.reason != rule.reason or not same_key:
            differ.append((line[:200], verdict, rule[1:]))
    assert differ[:10] == []
    events = sum(verdict.reason is None for verdict in found)
    assert count // 20 < events < len(lines) - count // 20
    # Each line on its own or all in one block: what is damaged beside a line does not touch it.
    some = lines[:300]
    assert [parser.lines([line], EventSettings(event_timestamps=False))[0] for line in some] == found[:300]


@pytest.mark.parametrize(
    ("marked", "part", "reason"),
    [
        ("torn", b'{"computer":"a"}', None),
        ("torn", b'{"computer":"a"', "torn"),
        ("torn", b'{"x":1}', "torn"),
        ("torn", b'{"computer":"a"}\0{"computer":"b"}\0', "nul"),
        ("torn", b'\xef\xbb\xbf{"computer":"a"}', "bom"),
        ("torn", '{"computer":"a"}'.encode("utf-16"), "utf-16"),
        ("torn", b"<13>Nov 25 09:28:24 host app: te", "syslog-prefix"),
        ("torn", b'16 {"computer":"a"}16 {"comp', "octet-count"),
        ("torn", b'{"computer":"a"}\r{"computer":"b"}\r', "several-values"),
        ("too-long", b'{"computer":"a"}\0{"computer":"b"}\0{', "nul"),
        ("too-long", '{"computer":"a"}'.encode("utf-16-le"), "utf-16"),
        ("too-long", b'{"computer":"a"}\r{"computer":"b"}\r', "too-long"),
        ("too-long", b"<13>Nov 25 09:28:24", "too-long"),
        ("too-long", b"\xff\xff", "too-long"),
    ],
)
def test_a_part_of_a_line_gets_the_reason_that_helps(
    parser: Parser, marked: str, part: bytes, reason: str | None
) -> None:
    assert parser.part(marked, part) == reason


def test_an_event_ends_with_its_line(parser: Parser) -> None:
    lines = {
        b'{"computer":"a"}': None,
        b'{"computer":"a"} \t\r': None,
        b'{"computer":"a"} \x0b': "not-json",
        b'{"computer":"a"}\xc2\xa0': "not-json",
        b'{"computer":': "not-json",
        b'"a"}': "not-json",
        b'{"x":[{"computer":"a"},': "not-json",
        b'{"computer":"b"}]}': "not-json",
        b" \t\r": "not-json",
        b'{"computer":"b"},': "not-json",
        b'{"computer":"b"} {"computer":"c"}': "several-values",
        b"{": "not-json",
        b"[" * 1_001: "too-deep",
        b'{"computer":' * 1_001: "too-deep",
    }
    some = list(lines)
    for first in range(len(some)):
        turned = some[first:] + some[:first]
        found = {
            each: verdict.reason
            for each, verdict in zip(turned, parser.lines(turned, EventSettings()), strict=True)
        }
        assert found == lines


def line(**fields: Any) -> bytes:
    return json.dumps({"computer": "a"} | fields).encode()


def test_alternatives_nested_and_dotted(parser: Parser) -> None:
    events = EventSettings(key_field=first_of(parse_fields("host.name,Hostname")))
    lines = (FOLDER / "mixed-key-shapes.ndjson").read_bytes().splitlines()
    keys = [verdict.key or verdict.reason for verdict in parser.lines(lines, events)]
    missing = "missing:host.name"
    expected = [
        b"WS-007.corp.example",
        b"APP-02",
        b"WS-114.corp.example",
        missing,
        missing,
        b"WS-6",
        missing,
        missing,
    ]
    assert keys == expected
    by_default = [verdict.key for verdict in parser.lines(lines, EventSettings())]
    assert by_default[:6] == [
        b"WS-007.corp.example",
        b"APP-02",
        b"WS-114.corp.example",
        b"WS-4",
        b"ws-4",
        b"WS-6",
    ]


def test_the_text_of_an_element_with_attributes(parser: Parser) -> None:
    events = EventSettings(
        require=parse_fields("Event.System.EventID"), headers=parse_fields("Event.System.EventID")
    )
    lines = (FOLDER / "evtx-dump.ndjson").read_bytes().splitlines()
    found = parser.lines(lines, events)
    assert [verdict.reason for verdict in found] == [None] * len(lines)
    assert [verdict.headers for verdict in found] == [[b"7036"], [b"7036"], [b"7040"], [b"4624"]]
    assert all(verdict.time is not None for verdict in found)


@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("nxlog-space-time", 8),
        ("winevtlog-space-offset", 4),
        ("in-winlog-classic", 4),
        ("wazuh-eventchannel", 3),
        ("winlogbeat-filtered-ids", 6),
    ],
)
def test_shapes_of_loggers_need_no_option(parser: Parser, file: str, count: int) -> None:
    lines = (FOLDER / f"{file}.ndjson").read_bytes().splitlines()
    found = parser.lines(lines, EventSettings())
    assert [verdict.reason for verdict in found] == [None] * len(lines)
    assert all(verdict.key and verdict.time is not None for verdict in found)
    assert len(found) == count


@pytest.mark.parametrize(
    ("preset", "file", "headers"),
    [
        ("winlogbeat", "winlogbeat-filtered-ids", 3),
        ("nxlog", "nxlog-space-time", 3),
        ("winevtlog", "winevtlog-space-offset", 3),
        ("winevtlog", "in-winlog-classic", 1),
        ("evtx-dump", "evtx-dump", 3),
        ("hayabusa", "hayabusa", 4),
        ("splunk-hec", "splunk-hec", 2),
    ],
)
def test_a_preset_finds_computer_time_and_headers(
    parser: Parser, preset: str, file: str, headers: int
) -> None:
    named = PRESETS[preset]
    events = EventSettings(
        key_field=first_of(parse_fields(named.key_field)),
        timestamp_field=first_of(parse_fields(named.timestamp_field)),
        headers=parse_fields(named.headers),
    )
    found = parser.lines((FOLDER / f"{file}.ndjson").read_bytes().splitlines(), events)
    assert [verdict.reason for verdict in found] == [None] * len(found)
    for verdict in found:
        assert verdict.key
        assert verdict.time is not None
        assert sum(value is not None for value in verdict.headers or []) >= headers


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_of_the_producer_needs_no_option(parser: Parser, fmt: str) -> None:
    start = datetime.fromtimestamp(NOW / 1000 - 3_600, tz=timezone.utc)
    events = list(islice(generate(GeneratorSettings(seed=3, start_time=start, fmt=fmt)), 500))
    found = parser.lines([event.line.rstrip(b"\n") for event in events], EventSettings())
    assert [verdict.key for verdict in found] == [event.computer.encode() for event in events]
    assert all(verdict.time is not None and abs(verdict.time - NOW) < DAY for verdict in found)


def test_a_time_without_a_zone_is_in_the_zone_told(parser: Parser) -> None:
    texts = ["2026-07-01 12:00:00", "2026-12-01 12:00:00", "2026-07-01 12:00:00Z", "2026-03-29 02:30:00"]
    july, december = 1_782_907_200_000, 1_796_126_400_000
    hour = 3_600_000
    assert parser.times(texts[:3], "+02:00") == [july - 2 * hour, december - 2 * hour, july]
    berlin = parser.times(texts, "Europe/Berlin")
    assert berlin[:3] == [july - 2 * hour, december - hour, july]
    assert berlin[3] is not None  # an hour that the clocks skip


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)), st.integers(-1080, 1080), st.integers(0, 9)
)
@settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_time_as_iso(parser: Parser, when: datetime, minutes: int, digits: int) -> None:
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    fraction = f".{when.microsecond:06}000"[: digits + 1] if digits else ""
    text = f"{when:%Y-%m-%dT%H:%M:%S}".zfill(19) + fraction + zone
    seconds = calendar.timegm(when.timetuple()) - minutes * 60
    milliseconds = int(f"{when.microsecond:06}"[: min(digits, 3)].ljust(3, "0"))
    assert parser.times([text]) == [seconds * 1000 + milliseconds]


def test_old_events(parser: Parser) -> None:
    lines = (FOLDER / "old-events-2019.ndjson").read_bytes().splitlines()
    week = {"retention": 7 * DAY}
    arrived = parser.lines(lines, EventSettings(), **week)
    assert {(verdict.reason, verdict.late) for verdict in arrived} == {(None, True)}
    kept = parser.lines(lines, EventSettings(too_old="keep"), **week)
    assert {(verdict.reason, verdict.late) for verdict in kept} == {(None, False)}
    rejected = parser.lines(lines, EventSettings(too_old="reject"), **week)
    assert {verdict.reason for verdict in rejected} == {"too-old"}
    # What the broker would refuse cannot be kept.
    refused = parser.lines(lines, EventSettings(too_old="keep"), most_behind=DAY)
    assert {verdict.reason for verdict in refused} == {"too-old"}
    before_1970 = line(timestamp="1601-01-01T00:00:00Z")
    said = [
        parser.lines([before_1970], EventSettings(too_old=policy))[0] for policy in ("now", "keep", "reject")
    ]
    assert [(verdict.reason, verdict.late) for verdict in said] == [
        (None, True), ("too-old", False), ("too-old", False)
    ]  # fmt: skip


def test_events_from_the_future(parser: Parser) -> None:
    now = NOW + DAY
    times = [now, now + 54_000, now + 55_000, now + 3_300_000, now + 3_301_000]
    lines = [line(timestamp=time) for time in times]
    strict = parser.lines(lines, EventSettings(), most_ahead=54_000)
    assert [verdict.reason for verdict in strict] == [None, None, "ahead", "ahead", "ahead"]
    usual = parser.lines(lines, EventSettings())
    assert [verdict.reason for verdict in usual] == [None, None, None, None, "ahead"]


def test_times_that_are_absent_or_none(parser: Parser) -> None:
    lines = [
        line(),
        line(timestamp=None),
        line(timestamp={"x": 1}),
        line(timestamp=None, EventTime="2026-11-25 01:15:01"),
    ]
    found = parser.lines(lines, EventSettings())
    assert [(verdict.reason, verdict.time) for verdict in found[:3]] == [(None, None)] * 3
    assert found[3].time == 1_795_569_301_000
    half = b'{"computer":"a","timestamp":"\\ud800"}'
    assert parser.lines([half], EventSettings())[0].reason == "not-json"
    bad = [line(timestamp=text) for text in ("", "soon", "none yet, or is it", True)]
    assert {verdict.reason for verdict in parser.lines(bad, EventSettings())} == {"bad-timestamp"}
    required = EventSettings(require=parse_fields("timestamp"))
    assert parser.lines([line()], required)[0].reason == "missing:timestamp"


def test_key_headers_and_value_have_to_fit_into_a_record(parser: Parser) -> None:
    """One field of 600 KB is key and header and part of the value: three times 600 KB."""
    lines = [b'{"computer":"%s"}' % (b"k" * size) for size in (1_000, 340_000, 345_000, 360_000, 600_000)]
    wide = EventSettings(max_line=900_000, headers=parse_fields("computer"))
    assert [v.reason for v in parser.lines(lines, wide)] == [None, None, None, "too-long", "too-long"]
    narrow = parser.lines(lines, EventSettings(), max_record=1_500)
    assert [v.reason for v in narrow] == ["too-long"] * 5
    ok = parser.lines([b'{"computer":"%s"}' % (b"k" * 600)], EventSettings(), max_record=1_500)
    assert ok[0].reason is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "plain",
        "\x7f\x80",
        "caf\u00e9?",
        "\u65e5\u672c",
        "\U0001f600",
        'a "quoted" \\ text\n',
        "k" * 10_000,
        "é" * 5_000,
    ],
)
@pytest.mark.parametrize("escaped", [True, False])
def test_keys_and_headers_are_the_text_of_the_value_as_utf_8(
    parser: Parser, text: str, escaped: bool
) -> None:
    event = {"computer": text, "before": 17, "x": text}
    found = parser.lines([json.dumps(event, ensure_ascii=escaped).encode()], _WITH_HEADERS)[0]
    assert (found.reason, found.key) == (None, text.encode())
    assert found.headers == [text.encode(), b"17", None]


_WITH_HEADERS = EventSettings(headers=parse_fields("x,before,absent"))


@pytest.mark.parametrize("value", ["0", "-17", "4624", "1.10", "1e2", "9" * 40, "true", "false"])
def test_a_number_is_the_text_of_the_line(parser: Parser, value: str) -> None:
    line = b'{"before":"text","computer":%s,"x":%s}' % (value.encode(), value.encode())
    found = parser.lines([line], _WITH_HEADERS)[0]
    assert (found.key, found.headers) == (value.encode(), [value.encode(), b"text", None])


def test_a_time_may_be_a_header_and_a_key_too(parser: Parser) -> None:
    events = EventSettings(
        key_field=first_of(parse_fields("timestamp")), headers=parse_fields("timestamp,EventTime")
    )
    time = b"2026-11-25T12:00:00Z"
    found = parser.lines([b'{"EventTime":"x","timestamp":"%s"}' % time], events)[0]
    assert (found.reason, found.key, found.time, found.headers) == (None, time, NOW, [time, b"x"])


def test_half_a_pair_in_a_header(parser: Parser) -> None:
    events = EventSettings(headers=parse_fields("x"), require=parse_fields("y"))
    lines = [b'{"computer":"a","x":"\\ud83d","y":1}', b'{"computer":"a","x":"\\ud83d\\ude00","y":"\\udc00"}']
    found = parser.lines(lines, events)
    assert found[0].reason == "not-json"
    assert found[1].headers == ["😀".encode()]  # whether y is there is all that is asked


def test_what_a_decoder_has_replaced_is_no_event(parser: Parser) -> None:
    lines = ['{"computer":"a","x":"caf\ufffd"}'.encode(), '{"computer":"é"}'.encode()]
    assert [v.reason for v in parser.lines(lines, EventSettings(), decoded=True)] == ["not-json", None]
    assert [v.reason for v in parser.lines(lines, EventSettings(), decoded=False)] == [None, None]
