"""What win-event-verify treats as an event, a run, an order and a key."""

from __future__ import annotations

import orjson
import pytest
from conformance.cases import LINES
from damage import Heap

from consumer.events.event_view import view
from consumer.verify.audit.audit import Expectations
from consumer.verify.audit.report import Rules
from consumer.verify.verify import AuditSettings
from consumer.verify.verify import audit as audit_of
from producer.events.event_time import to_milliseconds


def event(number, *, time=None, computer="WS-1", source="Security", **more):
    time = time or f"2026-11-21T00:00:{number % 60:02}.0000000Z"
    fields = {"timestamp": time, "source": source, "record_id": number, "computer": computer, **more}
    return orjson.dumps(fields)


def topic(values, *, keys=None, rejected=(), rules=None, partitions=None, appended=None, **expectations):
    """The report over a topic's records; a record's key is its computer unless `keys` says otherwise.

    `appended`: milliseconds since 1970 of each append.
    """
    keys = keys or [orjson.loads(value)["computer"].encode() for value in values]
    partitions = partitions or [0] * len(values)
    appended = appended or [0] * len(values)
    records = [
        (value, key, partition, at, time)
        for at, (value, key, partition, time) in enumerate(
            zip(values, keys, partitions, appended, strict=True)
        )
    ]
    heap = Heap(records, list(rejected), 10)
    settings = AuditSettings(rules or Rules(), Expectations(keyed=True, **expectations))
    return audit_of(settings, heap, heap, lambda what, done, total: None)


@pytest.mark.parametrize("case", LINES, ids=lambda case: case.name)
def test_what_is_an_event_is_one_rule_for_verify_and_tail(audit, case):
    verdict = audit([b"", case.line])  # a byte order mark may begin a file, no other line
    if case.line.strip() and case.reason != "too-long":  # how long a line may be is the bridge's decision
        assert verdict["corrupt"] == (not case.is_event)
        assert (view(case.line) is not None) == case.is_object


@pytest.mark.parametrize(
    "line", ["9" * 5000, '{"record_id":1e999,"computer":"a"}', '{"record_id":' + "9" * 400 + "}"]
)
def test_odd_numbers_are_counted_not_thrown(audit, line):
    assert audit([line.encode()]).exit_code in (1, 3)


def test_valid_events_of_another_shape_are_counted_apart(audit):
    verdict = audit([event(1), b'{"Event":{"System":{"Computer":"WS-9","EventRecordID":1}}}', event(2)])
    assert (verdict.exit_code, verdict["unknown_shape"], verdict["corrupt"]) == (0, 1, 0)
    alone = audit([b'{"Computer":"WS-9"}'])
    assert (alone.exit_code, alone["verdict"]) == (3, "incomplete")


def test_a_channel_is_one_however_it_is_written(audit):
    verdict = audit([event(1), event(2, source="security"), event(3, source="SECURITY"), event(4)])
    assert (verdict.exit_code, verdict["distinct"], verdict["lost"]) == (0, 4, 0)


def test_gaps_may_be_allowed_where_a_log_was_filtered(audit):
    lines = [event(number) for number in (1, 2, 7, 8, 30)]
    assert (audit(lines).exit_code, audit(lines)["lost"]) == (1, 25)
    allowed = audit(lines, "--allow-gaps")
    assert (allowed.exit_code, allowed["lost"]) == (0, 0)
    assert allowed["notes"] == [
        "25 record ids are missing between others; with --allow-gaps they do not count as lost"
    ]


def test_complete_without_anybody_who_says_what_there_was_is_no_promise(audit):
    lines = [event(number) for number in (5, 6, 7)]
    assert audit(lines)["notes"] == []
    (note,) = audit(lines, "--complete")["notes"]
    assert "without --ledger or --seed nobody knows" in note


def test_ids_that_begin_again_are_another_run(audit):
    first = [event(number, time=f"2026-11-21T08:00:0{number}Z") for number in (1, 2, 3, 4)]
    second = [event(number, time=f"2026-11-21T09:00:0{number}Z") for number in (1, 2, 4)]
    verdict = audit([*first, *second, *first[2:]])
    assert [(run["distinct"], run["lost"], run["duplicated"]) for run in verdict["runs"]] == [
        (4, 0, 2),
        (3, 1, 0),
    ]
    assert (verdict.exit_code, verdict["corrupt"], verdict["reordered"]) == (1, 0, 0)
    assert audit([*first, *second], "--run", "1").exit_code == 0
    assert audit([*first, *second], "--run", "2").exit_code == 1
    assert audit([*first, *second], "--since", "2026-11-21T09:00:03Z").exit_code == 0


def test_two_producers_at_a_time_are_told_where_ids_alone_cannot_judge(audit):
    def of(first, tenth):
        return [event(first + s, time=f"2026-11-21T08:00:{s:02}.{tenth}Z", by=tenth) for s in range(60)]

    one, other = of(8, 1), of(1, 2)
    mixed = audit([line for pair in zip(one, other, strict=True) for line in pair])
    assert mixed.exit_code == 1
    assert [note for note in mixed["notes"] if "--ledger, once for each producer" in note]
    assert audit(one)["notes"] == []
    later = [line.replace(b"T08:", b"T09:") for line in other]
    assert audit([*one, *later])["notes"] == []


def test_older_events_count_in_no_rate_and_in_no_latency():
    begin = to_milliseconds(b"2026-11-21T00:00:00Z")
    values = [event(number) for number in (1, 40, 41, 42)]
    appended = [begin + second * 1_000 + 900 for second in (20, 40, 41, 42)]
    report = topic(values, appended=appended, since_ms=begin + 40_000, rules=Rules(allow_gaps=True))
    assert (report.records, report.append_seconds) == (3, 2.0)
    assert report.latency is not None
    assert report.latency.max == 900


def test_a_run_that_is_not_there_is_no_verdict(tmp_path, lines):
    from click.testing import CliRunner

    from consumer.verify_cli import main

    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join(lines))
    result = CliRunner().invoke(main, ["--file", str(path), "--run", "7"])
    assert result.exit_code == 1
    assert "--run 7: there is no such run; found: 1" in result.stderr


def test_a_clock_that_is_set_back_is_no_disorder(audit):
    times = ["08:00:01", "08:00:02", "07:59:00", "07:59:01"]
    lines = [event(number, time=f"2026-11-21T{time}Z") for number, time in enumerate(times, start=1)]
    assert audit(lines).exit_code == 0


def test_times_are_compared_as_moments_where_their_zones_differ(audit):
    def at(number, time, source):
        return orjson.dumps(
            {"TimeCreated": time, "EventRecordID": number, "Channel": source, "Computer": "A"}
        )

    rising = [at(1, "2026-11-26 12:15:02 +1100", "System"), at(1, "2026-11-25 20:15:03 -0500", "Security")]
    assert audit(rising).exit_code == 0
    assert audit(rising[::-1])["reordered"] == 1


def test_order_is_that_of_a_partition():
    values = [event(1), event(3), event(2), event(4)]
    assert topic(values).findings.count("reordered") == 1
    assert topic(values, partitions=[0, 1, 0, 1]).verdict == "ok"


def test_a_record_of_a_topic_needs_its_key():
    values = [event(1), event(2), event(3)]
    keys = [b"WS-1", None, b"elsewhere"]
    report = topic(values, keys=keys)
    assert (report.verdict, report.findings.count("corrupt")) == ("FAILED", 2)
    assert [example.detail for example in report.findings.examples["corrupt"]] == [
        "has no key",
        "has the key 'elsewhere'",
    ]
    assert topic(values, keys=keys, key_fields=()).verdict == "ok"


def test_the_key_is_the_first_field_that_is_there():
    values = [event(1, host={"name": "a"}), event(2, host={"name": "b"}), event(3)]
    fields = ("host.name", "computer")
    assert topic(values, keys=[b"a", b"b", b"WS-1"], key_fields=fields).verdict == "ok"
    assert topic(values, keys=[b"a", b"WS-1", b"WS-1"], key_fields=fields).findings.count("corrupt") == 1


@pytest.mark.parametrize("number", ["1.10", "1e2", "12345678901234567890123", "-0", "7"])
def test_a_number_as_key_is_as_the_line_writes_it(number):
    values = [event(1)[:-1] + b',"sensor":' + number.encode() + b"}"]
    assert topic(values, keys=[number.encode()], key_fields=("sensor",)).verdict == "ok"
    assert topic(values, keys=[b"100.0"], key_fields=("sensor",)).findings.count("corrupt") == 1


def test_an_old_reject_with_the_same_id_accounts_for_nothing():
    times = {number: f"2026-11-21T09:00:0{number}Z" for number in (1, 2, 3)}
    now = [event(number, time=time) for number, time in times.items()]
    old = event(2, time="2026-11-20T09:00:02Z")
    assert topic([now[0], now[2]], rejected=[old]).findings.count("lost") == 1
    report = topic([now[0], now[2]], rejected=[now[1]])
    assert (report.verdict, report.findings.counts) == ("ok", {"rejected": 1})


def test_copies_are_counted_over_both_topics():
    values = [event(1), event(2), event(3)]
    report = topic(values, rejected=[values[1], values[2], values[2]], rules=Rules(exactly_once=True))
    assert (report.verdict, report.findings.count("duplicated")) == ("FAILED", 3)
