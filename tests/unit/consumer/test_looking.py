"""What win-event-tail shows, and which events pass its filters."""

from __future__ import annotations

import errno
import os
import re
from datetime import datetime, timezone
from itertools import islice

import orjson
import pytest
from click.testing import CliRunner
from rich.color import ColorSystem

from consumer import tail_cli, verify_cli
from consumer.events.event_view import view
from consumer.log_client.bookmark import BookmarkError, BookmarkFile, Position
from consumer.tail.event_filter import (
    EventFilter,
    FilterError,
    parse_ids,
    parse_levels,
    parse_names,
    parse_since,
    parse_where,
)
from consumer.tail.stats import StreamStats
from consumer.tail.view import fields, full, pretty
from producer.endpoint import Endpoint, EndpointError, parse_endpoint
from producer.events.formats import FORMATS
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

EVENT = {
    "timestamp": "2026-11-21T09:28:24.1778590Z",
    "level": "Warning",
    "source": "Security",
    "event_id": 4625,
    "event_type": "Audit Failure",
    "record_id": 12,
    "computer": "WS-001.corp.example",
    "data": {"TargetUserName": "m.ito", "LogonType": "3", "IpAddress": "10.1.2.3"},
    "message": "An account failed to log on.\r\n\r\nSubject: é",
}
LINE = orjson.dumps(EVENT)
START = datetime(2026, 11, 21, tzinfo=timezone.utc)


def plain(text, style):
    return text


def coloured(text, style):
    return style.render(text, color_system=ColorSystem.STANDARD)


def shown(render, line=LINE):
    return render(line, view(line)).decode()


def test_pretty_is_one_line_cut_to_the_width():
    assert shown(pretty(None, plain)) == (
        "09:28:24.177 Failure  Security    WS-001        4625  "
        "m.ito from 10.1.2.3: An account failed to log on.\n"
    )
    assert shown(pretty(60, plain)) == "09:28:24.177 Failure  Security    WS-001        4625  m.ito…\n"
    assert shown(pretty(None, coloured)).startswith("\x1b[2m09:28:24.177\x1b[0m \x1b[1;31mFailure ")
    calm = orjson.dumps(EVENT | {"event_id": 7036, "event_type": "Warning", "data": {}})
    assert shown(pretty(None, plain), calm) == (
        "09:28:24.177 Warning  Security    WS-001        7036  An account failed to log on.\n"
    )
    assert shown(pretty(None, coloured), calm).startswith("\x1b[2m09:28:24.177\x1b[0m \x1b[33mWarning ")


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_four_shapes_look_the_same(fmt):
    """Except where a shape lacks a field: Fluent Bit names no subject."""
    settings = GeneratorSettings(seed=5, fmt=fmt, start_time=START, scenarios=("brute-force@0",))
    lines = [event.line[:-1] for event in islice(generate(settings), 300)]
    failures = [view(line) for line in lines if view(line).failed]
    found = {(each.level, each.event_type, each.account, each.address, each.event_id) for each in failures}
    flat = GeneratorSettings(seed=5, start_time=START, scenarios=("brute-force@0",))
    expected = {
        (
            each["event_type"],
            each["data"]["TargetUserName"],
            each["data"]["IpAddress"].strip("-"),
            each["event_id"],
        )
        for event in islice(generate(flat), 300)
        if (each := orjson.loads(event.line))["event_type"] == "Audit Failure"
    }
    assert {row[1:] for row in found} == expected
    assert expected


def test_a_time_is_shown_in_utc():
    event = {
        "TimeCreated": "2026-11-26 12:15:02 +1100",
        "EventRecordID": 1,
        "Channel": "System",
        "Computer": "A",
    }
    assert shown(pretty(None, plain), orjson.dumps(event)).startswith("01:15:02.000 ")


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (
            {"Event": {"System": {"EventID": {"#text": 7036}, "Level": 4, "Channel": "System",
             "Computer": "WS-031",
             "TimeCreated": {"#attributes": {"SystemTime": "2026-11-25T18:12:51.681640Z"}}}}},
            "18:12:51.681 Info     System      WS-031        7036\n",
        ),
        (
            {"timestamp": "2026-11-25T09:21:15.225+0000", "data": {"win": {"system": {"eventID": "4625",
             "level": "0", "channel": "Security", "computer": "pc07", "severityValue": "AUDIT_FAILURE",
             "message": "No."},
             "eventdata": {"targetUserName": "eva", "ipAddress": "192.0.2.9"}}}},
            "09:21:15.225 Failure  Security    pc07          4625  eva from 192.0.2.9: No.\n",
        ),
        (
            {"RecordNumber": 4, "TimeGenerated": "2026-11-25 06:26:01 +0900", "EventID": 10000,
             "EventType": "Error", "Channel": "Application", "ComputerName": "SRV-021",
             "Message": "Starting."},
            "21:26:01.000 Error    Application SRV-021      10000  Starting.\n",
        ),
    ],
    ids=["evtx_dump", "Wazuh", "Fluent Bit winlog"],
)  # fmt: skip
def test_events_of_other_loggers_are_shown_as_far_as_they_tell(line, seen):
    assert shown(pretty(None, plain), orjson.dumps(line)) == seen


def test_full_has_every_field_and_the_whole_message_last():
    assert shown(full(plain)).splitlines()[-7:] == [
        "data.TargetUserName : m.ito",
        "data.LogonType      : 3",
        "data.IpAddress      : 10.1.2.3",
        "message             : An account failed to log on.",
        "                      ",
        "                      Subject: é",
        "",
    ]


def test_fields_by_their_common_name_or_their_path():
    assert shown(fields(("computer", "event_id", "data.LogonType", "nope"))) == (
        "WS-001.corp.example\t4625\t3\t-\n"
    )
    winlogbeat = orjson.dumps({"log": {"level": "error"}, "winlog": {"record_id": 3, "channel": "System"}})
    assert shown(fields(("level", "source", "winlog.record_id")), winlogbeat) == "Error\tSystem\t3\n"


@pytest.mark.parametrize("render", [pretty(None, plain), full(plain), fields(("level",))])
def test_what_is_not_json_is_shown_as_such_and_cannot_drive_the_terminal(render):
    assert shown(render, b"\x1b]0;owned\x07\xff").strip() == r"not JSON: \x1b]0;owned\x07\xff"
    hostile = orjson.dumps({**EVENT, "message": "\x1b[2J", "computer": "\x9b2J", "source": "a\nb"})
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown(render, hostile))


def matches(**wanted):
    return EventFilter(**wanted).matches(view(LINE), LINE)


def test_filters_let_by_what_is_meant():
    assert matches(levels=parse_levels(("error,warning",)))
    assert matches(levels=parse_levels(("warning+",)))
    assert not matches(levels=parse_levels(("error+",)))
    assert matches(sources=parse_names(("system", "sec*")))
    assert not matches(sources=parse_names(("system",)))
    assert matches(event_ids=parse_ids(("4624,4625",)))
    assert not matches(event_ids=parse_ids(("4624",)))
    assert matches(computers=parse_names(("ws-001",)))
    assert matches(computers=parse_names(("*.corp.example",)))
    assert not matches(computers=parse_names(("ws-002",)))
    assert matches(event_types=parse_names(("failure",)))
    assert matches(event_types=parse_names(("audit failure",)))
    assert not matches(event_types=parse_names(("success",)))
    assert matches(accounts=parse_names(("M.Ito", "nobody")))
    assert not matches(accounts=parse_names(("m",)))
    assert matches(addresses=parse_names(("10.1.*",)))
    assert not matches(addresses=parse_names(("10.2.*",)))
    assert matches(where=parse_where(("data.IpAddress=10.1.2.3", "event_id=46??", "data.LogonType!=2")))
    assert not matches(where=parse_where(("data.IpAddress=10.1.2.3", "data.LogonType!=3")))
    assert not matches(where=parse_where(("data.Nothing=3",)))
    assert matches(grep=re.compile("m.ito"))
    assert matches(grep=re.compile("é"))
    assert not matches(grep=re.compile("M.ITO"))
    assert matches(since_ms=parse_since("2026-11-21T09:28:24Z", 0))
    assert not matches(since_ms=parse_since("2026-11-21T09:28:25Z", 0))


def test_escapes_are_undone_before_grep():
    line = LINE.replace("é".encode(), rb"\u00e9")
    assert EventFilter(grep=re.compile("é")).matches(view(line), line)


def test_since_may_be_a_span():
    assert parse_since("15m", 1_000_000) == 100_000
    assert parse_since("1970-01-02", 0) == 86_400_000


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (parse_where, ("data.IpAddress",)),
        (parse_where, ("=3",)),
        (parse_levels, ("loud",)),
        (parse_ids, ("46x",)),
        (lambda text: parse_since(text, 0), "tomorrow"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(parse, value):
    with pytest.raises(FilterError):
        parse(value)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("a", "a", 9999),
        ("a:1", "a", 1),
        ("[::1]:2", "::1", 2),
        ("[::1]", "::1", 9999),
        ("::1", "::1", 9999),
        (" a:1 ", "a", 1),
    ],
)
def test_endpoints(text, host, port):
    assert parse_endpoint(text) == Endpoint(host, port)


@pytest.mark.parametrize("text", ["", ":1", "a:0", "a:65536", "a:x", "[::1", "[::1]x", "a:²"])
def test_what_is_no_endpoint(text):
    with pytest.raises(EndpointError):
        parse_endpoint(text)


def test_a_bookmark_comes_back_and_keeps_other_endpoints(tmp_path):
    path = tmp_path / "bookmark"
    BookmarkFile(path).save({"a:1": Position("log", 5)})
    BookmarkFile(path).save({"b:1": Position("other", 7)})
    assert BookmarkFile(path).get("a:1") == Position("log", 5)
    assert BookmarkFile(path).get("b:1") == Position("other", 7)
    assert BookmarkFile(path).get("c:1") is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["bookmark"]


def test_a_bookmark_is_on_the_disk_and_a_full_disk_is_left_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "bookmark"
    BookmarkFile(path).save({"a:1": Position("log", 5)})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BookmarkError, match=r"cannot write the bookmark .*: No space left"):
        BookmarkFile(path).save({"a:1": Position("log", 7)})
    assert [entry.name for entry in tmp_path.iterdir()] == ["bookmark"]
    assert BookmarkFile(path).get("a:1") == Position("log", 5)


@pytest.mark.parametrize("content", ["", "x", "[]", "{}", '{"bookmark":2,"endpoints":{}}'])
def test_another_file_is_not_taken_for_a_bookmark(tmp_path, content):
    path = tmp_path / "bookmark"
    path.write_text(content)
    with pytest.raises(BookmarkError, match="is not a bookmark"):
        BookmarkFile(path)


def test_stats_count_what_the_filter_lets_by_and_gaps_of_all():
    now = [0.0]
    stats = StreamStats(lambda: now[0])
    for record_id in (5, 6, 9, 7):
        event = view(orjson.dumps(EVENT | {"record_id": record_id}))
        stats.add(event, wanted=record_id != 6)
    stats.add(None)
    now[0] = 2.0
    assert stats.as_json() == {
        "events": 4,
        "seconds": 2.0,
        "not_json": 1,
        "missing_record_ids": 1,
        "levels": {"Warning": 3},
        "sources": {"Security": 3},
    }
    assert stats.rate() == 2.0


@pytest.mark.parametrize("command", [tail_cli.main, verify_cli.main], ids=["tail", "verify"])
def test_both_readers_tell_their_version_and_no_option_is_there_twice(command):
    result = CliRunner().invoke(command, ["--version"])  # a warning is an error here
    assert (result.exit_code, "version" in result.stdout) == (0, True), result.exception
