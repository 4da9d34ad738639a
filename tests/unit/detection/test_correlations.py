"""What a correlation must do, through rules and lines: bursts, orders, groups, chains, clocks, new rules."""

from __future__ import annotations

import random
import time
from itertools import islice

import pytest
from unit.detection.rule_texts import FILTER, correlation, detected, event, last_words, rule, rule_set, told

from detection.correlation.bounds import Bounds
from detection.detector import Detector
from detection.running.rule_source import RuleSource

FAILED = rule("failed", "{EventID: 4625}")
A, B, C = (rule(name, f"{{EventID: {number}}}") for name, number in (("a", 1), ("b", 2), ("c", 3)))
BURST = correlation("event_count", "failed", "{gte: 5}", "60s", "Computer")
ORDERED = correlation("temporal_ordered", "a, b, c", "", "60s", "Computer")


def test_a_group_holds_across_the_rules() -> None:
    rules = rule_set(A, B, correlation("temporal", "a, b", "", "60s", "Computer"))
    assert told(detected(rules, event(0, 1, "WS-1"), event(1, 2, "WS-2")), "temporal") == []
    assert told(detected(rules, event(0, 1, "WS-1"), event(1, 2, "ws-1")), "temporal") == [(0, 1, 2)]


def test_the_order_holds_at_every_step() -> None:
    rules = rule_set(A, B, C, ORDERED)
    assert detected(rules, event(0, 1), event(1, 3), event(2, 2)) == []
    assert told(detected(rules, event(0, 1), event(1, 2), event(2, 3)), "temporal_ordered") == [(0, 2, 3)]
    assert told(detected(rules, event(0, 1), event(1, 3), event(2, 2), event(3, 3)), "temporal_ordered") == [
        (0, 3, 4)
    ]


def test_an_event_out_of_order_neither_evicts_nor_alerts_twice() -> None:
    rules = rule_set(FAILED, BURST)
    lines = [event(second, record_id=second + 1) for second in (0, 10, 20, 30, 40, 50)]
    early = [lines[4], lines[0], lines[5], lines[1], lines[3], lines[2]]
    (alert,) = detected(rules, *early)
    assert told([alert], "event_count") == [(0, 50, 6)]
    assert alert.record_ids == tuple(f"WS-1 Security {number}" for number in (1, 11, 21, 31, 41, 51))


def test_a_burst_across_a_full_minute_is_seen() -> None:
    rules = rule_set(FAILED, BURST)
    assert told(detected(rules, *map(event, (50, 55, 59, 61, 65))), "event_count") == [(50, 65, 5)]


def test_the_timespan_is_held_to_the_tick() -> None:
    rules = rule_set(FAILED, BURST)
    assert len(detected(rules, *map(event, (0, 15, 30, 45, 60)))) == 1
    assert detected(rules, *map(event, (0, 15, 30, 45, 60.0000001))) == []


def test_thousands_of_failures_are_one_alert_that_grows() -> None:
    detector = Detector(rule_set(FAILED, BURST))
    steps = [
        alert for number in range(3_000) for alert in detector.feed(event(number / 10, record_id=number + 1))
    ]
    steps += detector.finish()
    (alert,) = last_words(iter(steps))
    assert (alert.count, len(alert.record_ids), alert.over) == (3_000, 20, True)
    assert len(steps) < 12 + 300 / 60 + 2  # a report per doubling and per timespan
    assert detector.held == 0


def test_memory_holds_the_timespan_and_no_more() -> None:
    detector = Detector(rule_set(FAILED, BURST), lateness=10)
    most = 0
    for number in range(1_500):
        list(detector.feed(event(number, record_id=number + 1, computer=f"WS-{number % 50}")))
        most = max(most, detector.held)
    assert most <= 60 + 10 + 60 // 8 + 2


def test_a_count_needs_no_more_events_than_its_threshold() -> None:
    night = correlation("event_count", "failed", "{gte: 5}", "12h", "Computer")
    detector, most, last = Detector(rule_set(FAILED, night), lateness=10), 0, {}
    for number in range(5_000):
        last |= {alert.id: alert for alert in detector.feed(event(number, record_id=number + 1))}
        most = max(most, detector.held)
    last |= {alert.id: alert for alert in detector.finish()}
    (alert,) = last.values()
    assert most < 160  # twice what came within lateness and a minute
    assert alert.count == 5_000
    assert alert.record_ids == tuple(f"WS-1 Security {number}" for number in range(1, 21))


def test_an_order_begins_with_its_first_rule_and_holds_nothing_without_it() -> None:
    ordered = correlation("temporal_ordered", "a, b", "", "1h", "Computer")
    detector, most, last = Detector(rule_set(A, B, ordered), lateness=10), 0, {}
    for number in range(3_000):
        event_id = 1 if number == 2_500 else 2
        last |= {alert.id: alert for alert in detector.feed(event(number, event_id, record_id=number + 1))}
        if number < 2_500:
            most = max(most, detector.held)
    assert most < 150
    last |= {alert.id: alert for alert in detector.finish()}
    (alert,) = last.values()
    assert (alert.count, alert.record_ids[0]) == (500, "WS-1 Security 2501")


def test_a_correlation_of_one_that_waits_has_its_events_still() -> None:
    """A burst of `few` is found 60 s after its last event, so what comes before it must not be gone."""
    few = correlation("event_count", "b", "{lte: 2}", "60s", "Computer").replace("the_event_count", "few")
    both = correlation("temporal", "a, few", "", "20s", "Computer")
    lines = [event(0, 1), event(15, 2), *(event(second, 4625) for second in range(16, 200))]
    found = detected(rule_set(A, B, FAILED, few, both), *lines, lateness=0.0)
    assert told(found, "temporal") == [(0, 15, 2)]


FEW = correlation("event_count", "failed", "{lt: 3}", "20s", "Computer").replace("the_event_count", "few")


def test_one_that_waits_counts_another_that_waits() -> None:
    """A burst of `few` is found 20 s after its event: the window that it belongs to must not be over then."""
    without = correlation("temporal", "few, a, b", "few and a and not b", "60s", "Computer")
    found = detected(rule_set(FAILED, A, B, FEW, without), event(0), event(0, 1), *map(event, range(40, 90)))
    assert told(found, "temporal") == [(0, 0, 2)]


def test_bursts_that_are_found_together_count_as_those_that_are_found_one_by_one() -> None:
    """A large block brings all bursts of one group, then all of the next, from the same times again."""
    many = correlation("event_count", "few", "{gte: 3}", "30s").replace("title: event_count", "title: many")
    rules = rule_set(FAILED, FEW, many)
    lines = [event(100 * n + 10 * at, computer=f"PC-{at}") for n in range(50) for at in range(3)]
    expected = [(100 * n, 100 * n + 20, 3) for n in range(50)]
    for blocks, lateness in ((lines, 60.0), ([b"".join(lines)], 60.0), (lines, 9_000.0)):
        assert told(detected(rules, *blocks, lateness=lateness), "many") == expected


def test_an_event_of_the_very_time_of_the_watermark_is_in_time() -> None:
    few = correlation("event_count", "failed", "{lt: 4}", "60s", "Computer")
    lines = [event(second, record_id=at) for at, second in enumerate((0, 1, 60, 60), 1)]
    assert detected(rule_set(FAILED, few), *lines, lateness=0.0) == []


def test_bursts_end_also_after_clocks_were_a_day_ahead_for_a_while() -> None:
    detector = Detector(rule_set(FAILED, BURST), lateness=10)
    ahead = [event(86_400 + second, computer="WS-9") for second in range(25)]
    back = [event(100 + second, record_id=second + 1) for second in range(60)]
    found = [alert for line in [*ahead, *back, *map(event, (400, 401, 402))] for alert in detector.feed(line)]
    assert [alert.over for alert in found if alert.group["Computer"] == "WS-1"][-1]


def test_bursts_that_an_event_joins_count_once_in_a_correlation_of_bursts() -> None:
    """In the order of time they are one burst; if the joining event comes last, they were two for a while."""
    bursts = correlation("event_count", "failed", "{gte: 3}", "60s", "Computer")
    several = correlation("event_count", "the_event_count", "{gte: 2}", "10m", "Computer")
    several = several.replace("the_event_count\nlevel", "several\nlevel")
    times = (10, 15, 17, 76, 77, 78)
    for order in (times, (10, 15, 76, 77, 78, 17)):
        detector = Detector(rule_set(FAILED, bursts, several), lateness=600)
        assert [alert for time in order for alert in detector.feed(event(time, record_id=time))] == [], order


def test_a_late_event_is_counted_and_left_out() -> None:
    detector = Detector(rule_set(FAILED, BURST), lateness=30)
    lines = [*map(event, (0, 1, 2, 3, 61)), event(4)]
    assert [alert for line in lines for alert in detector.feed(line)] == []
    assert (detector.counts.late, detector.counts.hits) == (1, 6)


def test_the_same_event_twice_is_one() -> None:
    rules = rule_set(FAILED, BURST)
    lines = [event(second, record_id=second + 1) for second in range(4)]
    assert detected(rules, *lines, *lines) == []


def test_events_without_a_record_id_are_told_apart_by_their_lines() -> None:
    """NXLog writes whole seconds, and a forwarder may leave out the record number."""
    lines = [
        b'{"EventTime":"2026-01-05 12:00:00","Hostname":"DC-1","Channel":"Security","EventID":4625,'
        b'"IpPort":"%d"}\n' % (number % 40)
        for number in range(80)
    ]
    (alert,) = detected(rule_set(FAILED, BURST), *lines)
    assert alert.count == 40
    assert len(set(alert.record_ids)) == 20
    (other,) = detected(rule_set(FAILED, BURST), *(line.replace(b"\n", b"\r\n") for line in lines))
    assert other.record_ids == alert.record_ids


def test_a_restart_from_the_lines_tells_the_same_alerts() -> None:
    rules = rule_set(FAILED, BURST)
    lines = [event(number, record_id=number + 1) for number in range(30)]
    whole = {alert.id: alert.count for alert in detected(rules, *lines)}
    before = Detector(rules)
    told_before = [alert.id for line in lines[:10] for alert in before.feed(line)]
    again = {alert.id: alert.count for alert in detected(rules, *lines)}
    assert set(told_before) == set(whole)
    assert again == whole


def test_one_clock_that_jumps_a_day_does_no_harm() -> None:
    rules = rule_set(FAILED, BURST)
    lines = [*map(event, (0, 1, 2)), event(86_400, computer="WS-9"), *map(event, (3, 4))]
    detector = Detector(rules)
    assert len([alert for line in lines for alert in detector.feed(line)]) == 1
    assert detector.counts.late == 0
    # When all clocks go on a day later, so does detection.
    later = [event(86_400 + number / 100, record_id=number + 1) for number in range(30)]
    assert [alert for line in later for alert in detector.feed(line) if alert.new]


@pytest.mark.parametrize("ahead", [61, 3_540])
def test_one_clock_that_is_minutes_ahead_does_no_harm(ahead: int) -> None:
    lines = [*map(event, (0, 1, 2)), event(ahead, computer="WS-9"), *map(event, (3, 4))]
    detector = Detector(rule_set(FAILED, BURST), lateness=60)
    assert len([alert for line in lines for alert in detector.feed(line)]) == 1
    assert detector.counts.late == 0


FAILURES = [event(second * 0.9, computer="DC-1", IpAddress="10.0.0.9") for second in range(40)]
MANY = correlation("event_count", "failed", "{gte: 30}", "60s", "IpAddress")


@pytest.mark.parametrize(
    "before",
    [[], [event(-1, computer="DC-1")], [event(-1, computer="DC-1"), event(-1, computer="DC-2")]],
    ids=["none", "one", "two"],
)
@pytest.mark.parametrize("hits", [3, 15])
def test_several_hits_of_one_computer_whose_clock_is_ahead_make_no_other_late(
    before: list[bytes], hits: int
) -> None:
    rules = rule_set(FAILED, rule("logon", "{EventID: 4624}"), MANY)
    ahead = [event(600 + second, 4624, computer="WS-9") for second in range(hits)]
    detector = Detector(rules)
    found = [alert for line in [*before, *ahead, *FAILURES] for alert in detector.feed(line)]
    assert [alert.head.title for alert in found if alert.group.get("IpAddress")][:1] == ["event_count"]
    assert detector.counts.late == 0


def test_a_clock_that_was_ahead_alone_goes_back_when_another_computer_speaks() -> None:
    rules = rule_set(FAILED, rule("logon", "{EventID: 4624}"), MANY)
    detector = Detector(rules)
    ahead = [event(600 + second, 4624, computer="WS-9") for second in range(50)]
    both = [event(-1, computer="DC-1"), event(-1, computer="DC-2")]
    found = [alert for line in [*both, *ahead, *FAILURES] for alert in detector.feed(line)]
    assert "event_count" in {alert.head.title for alert in found}
    assert detector.counts.late == 0


def test_two_computers_move_event_time_and_one_alone_does_so_in_its_own_stream() -> None:
    rules = rule_set(FAILED, BURST)
    late = event(1, computer="DC-1")
    for computers, is_late in ((("DC-1", "DC-2"), 1), (("DC-1", "DC-1"), 1), (("DC-2", "DC-2"), 0)):
        detector = Detector(rules)
        later = [event(600 + second, computer=computers[second % 2]) for second in range(4)]
        for line in [event(0, computer="DC-1"), *later, late]:
            list(detector.feed(line))
        assert detector.counts.late == is_late, computers


def test_event_time_follows_events_that_are_minutes_apart() -> None:
    detector = Detector(rule_set(FAILED, BURST), lateness=10)
    for number in range(12):
        list(detector.feed(event(300 * number, record_id=number + 1)))
    assert list(detector.feed(event(300 * 8, record_id=99))) == []
    assert detector.counts.late == 1


def test_a_group_value_of_a_megabyte_is_one_group() -> None:
    rules = rule_set(FAILED, correlation("event_count", "failed", "{gte: 2}", group="TargetUserName"))
    long, other = "x" * 1_000_000, "x" * 999_999 + "y"
    alerts = detected(
        rules, event(0, TargetUserName=long), event(1, TargetUserName=other), event(2, TargetUserName=long)
    )
    (alert,) = alerts
    assert alert.count == 2
    assert len(alert.group["TargetUserName"]) < 300


def test_full_windows_and_too_many_groups_are_counted() -> None:
    detector = Detector(rule_set(FAILED, BURST), bounds=Bounds(window=100, groups=3))
    for number in range(500):
        list(detector.feed(event(number / 100, record_id=number + 1)))
    for number in range(10):
        list(detector.feed(event(6, computer=f"PC-{number}")))
    assert detector.counts.lost >= 400
    assert detector.held <= 104


def test_the_burst_of_a_group_that_is_dropped_gets_its_last_word() -> None:
    """Otherwise its line of JSON would never be written, and its count would be kept for ever."""
    detector = Detector(rule_set(FAILED, BURST), bounds=Bounds(groups=1))
    found = [alert for number in range(7) for alert in detector.feed(event(number, record_id=number + 1))]
    assert [alert.over for alert in found] == [False]
    (last,) = detector.feed(event(8, computer="PC-2"))
    assert (last.id, last.over, last.count) == (found[0].id, True, 7)
    assert list(detector.finish()) == []


def test_chains_aliases_and_generate() -> None:
    first = rule("first", "{EventID: 1}")
    second = rule("second", "{EventID: 2}")
    burst = correlation("event_count", "first", "{gte: 3}", "10s", "IpAddress").replace(
        "the_event_count", "burst"
    )
    chain = correlation(
        "temporal_ordered", "burst, second", "", "60s", "address", "generate: GENERATE\n" + ALIASES
    )
    lines = [*(event(n, 1, IpAddress="10.0.0.9") for n in range(3)), event(30, 2, Source="10.0.0.9")]
    for generate, titles in (
        ("true", ["event_count", "second", "temporal_ordered"]),
        ("false", ["temporal_ordered"]),
    ):
        rules = rule_set(first, second, burst, chain.replace("GENERATE", generate))
        assert sorted(alert.head.title for alert in detected(rules, *lines)) == titles
    assert detected(rules, lines[-1], *lines[:-1], lateness=0.0) == []


ALIASES = """aliases:
  address:
    burst: IpAddress
    second: Source"""


def test_conditions_that_wait_speak_when_the_window_is_over() -> None:
    few = correlation("event_count", "failed", "{lt: 3}", "60s", "Computer")
    detector = Detector(rule_set(FAILED, few), lateness=10)
    assert [
        alert for line in (event(0), event(1), event(40, 1), event(69)) for alert in detector.feed(line)
    ] == []
    (alert,) = detector.feed(event(71))
    assert told([alert], "event_count") == [(0, 1, 2)]


def test_new_rules_keep_what_is_the_same() -> None:
    detector = Detector(rule_set(FAILED, BURST))
    lines = [event(second, record_id=second + 1) for second in range(5)]
    for line in lines[:4]:
        assert list(detector.feed(line)) == []
    assert detector.reload(rule_set(FAILED, BURST, A)) == []
    assert len(list(detector.feed(lines[4]))) == 1
    (ended,) = detector.reload(rule_set(FAILED, BURST.replace("gte: 5", "gte: 6")))
    assert (ended.over, ended.count) == (True, 5)
    assert detector.held == 0


FLOW = (
    "{title: failed, name: failed, logsource: {product: windows}, "
    "detection: {s: {EventID: 4625}, condition: s}}"
)
GLOBAL = (
    "action: global\nlogsource: {product: windows}\ndetection: {s: {EventID: 4625}}\n---\n"
    "title: failed\nname: failed\ndetection: {condition: s}\n"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([FLOW], [FLOW.replace("4625", "4624")]),
        ([GLOBAL], [GLOBAL.replace("4625", "4624")]),
        ([FAILED, FILTER], [FAILED, FILTER.replace("10.0.0.9", "10.0.0.8")]),
        ([FAILED, FILTER], [FAILED]),
        ([FAILED + "custom: {1: a, b: c}\n"], [FAILED + "custom: {1: a, b: d}\n"]),
    ],
    ids=["on one line", "common part", "filter", "no filter", "keys of two kinds"],
)
def test_a_rule_that_means_something_else_begins_anew(before: list[str], after: list[str]) -> None:
    detector = Detector(rule_set(*before, BURST))
    for second in range(4):
        assert list(detector.feed(event(second))) == []
    detector.reload(rule_set(*before, BURST))
    assert detector.held == 4
    detector.reload(rule_set(*after, BURST))
    assert detector.held == 0


def test_order_of_arrival_changes_no_alert() -> None:
    rules = rule_set(FAILED, BURST)
    lines = [event(number * 7.3 % 400, record_id=number + 1) for number in range(120)]
    expected = sorted(told(detected(rules, *lines, lateness=500.0), "event_count"))
    for seed in range(5):
        shuffled = random.Random(seed).sample(lines, len(lines))
        assert sorted(told(detected(rules, *shuffled, lateness=500.0), "event_count")) == expected
    assert len(list(islice(expected, 1))) == 1


@pytest.mark.parametrize("accounts", [1, 500])
def test_a_crowd_out_of_order_costs_as_much_as_in_order(accounts: int) -> None:
    """Two partitions that are read one after the other: each event of the second one is out of order."""
    rules, count = RuleSource([]).load(), 4_000
    lines = [
        event(60 * n / count, record_id=n + 1, IpAddress="10.0.0.9", TargetUserName=f"user{n % accounts}")
        for n in range(count)
    ]
    spent, found = [], []
    for order in (lines, lines[::2] + lines[1::2]):
        begun = time.process_time()
        alerts = detected(rules, *(b"".join(order[at : at + 100]) for at in range(0, count, 100)))
        spent.append(time.process_time() - begun)
        found.append(sorted((each.head.title, each.first, each.last, each.count) for each in alerts))
    assert found[0] == found[1]
    assert spent[1] < 5 * spent[0]


def test_an_alert_keeps_the_moment_at_which_it_was_found_and_its_name_over_a_restart() -> None:
    clock = iter(f"2026-01-05T13:00:{second:02d}.000Z" for second in range(60))
    rules = rule_set(FAILED, BURST)
    detector = Detector(rules, now=lambda: next(clock))
    lines = [event(number, record_id=number + 1) for number in range(20)]
    alerts = [alert for line in lines for alert in detector.feed(line)]
    assert len(alerts) > 1
    assert {alert.detected_at for alert in alerts} == {"2026-01-05T13:00:00.000Z"}
    again = Detector(rules, now=lambda: "later")
    again.remember(alerts[-1].as_json())
    backwards = [alert for line in reversed(lines) for alert in again.feed(line)]
    assert {(alert.id, alert.detected_at) for alert in backwards} == {(alerts[0].id, alerts[0].detected_at)}
    without = Detector(rules)
    assert {alert.id for line in reversed(lines) for alert in without.feed(line)} != {alerts[0].id}


def test_a_burst_that_is_longer_than_what_is_read_again_counts_all_its_events() -> None:
    rules = rule_set(FAILED, BURST)
    lines = [event(10 * number, record_id=number + 1) for number in range(400)]
    (whole,) = detected(rules, *lines)
    for stop in (5, 8, 50, 133, 399):
        before, again = Detector(rules, lateness=10), Detector(rules, lateness=10)
        for line in lines[:stop]:
            for alert in before.feed(line):
                again.remember(alert.as_json())
        for line in lines[max(stop - 8, 0) : stop]:  # the last 70 s: timespan and lateness
            list(again.feed(line))
        found = [alert for line in lines[stop:] for alert in again.feed(line)]
        (alert,) = {each.id: each for each in (*found, *again.finish())}.values()
        assert (alert.id, alert.first, alert.last) == (whole.id, whole.first, whole.last)
        assert (alert.count, alert.record_ids) == (whole.count, whole.record_ids)
