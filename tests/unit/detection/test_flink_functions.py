"""The functions of Flink's Python workers, called as Flink does: from blocks to alerts and keyed hits."""

from __future__ import annotations

import json
import pickle
import warnings
from collections import Counter
from typing import Any

import pytest
from unit.detection.rule_texts import correlation, event, rule, rule_set

from detection.correlation.bounds import Bounds
from detection.correlation.window import Entry, Window
from detection.matching.rule_files import RuleFile

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyFlink uses what it has deprecated itself
    from detection.flink import rows
    from detection.flink.correlating import Correlating
    from detection.flink.matching import Matching

TEXTS = (
    rule("failed", "{EventID: 4625}"),
    rule("other", "{EventID: 1}"),
    correlation("event_count", "failed", "{gte: 5}", "60s", "TargetUserName"),
)
FILES = [RuleFile(f"rules/{number}.yml", text) for number, text in enumerate(TEXTS)]


class Metrics:
    """Flink's, as far as the functions use them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def get_metrics_group(self) -> Metrics:
        return self

    def counter(self, name: str) -> Any:
        counts = self.counts

        class Named:
            def inc(self, by: int = 1) -> None:
                counts[name] += by

        return Named()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def matching(metrics: Metrics) -> Matching:
    found = Matching(FILES, [])
    found.open(metrics)
    return found


def test_what_matches_in_a_block_leaves_and_the_rest_is_counted(matching: Matching, metrics: Metrics) -> None:
    lines = [event(0, 1), b"not json\n", event(1, 2), event(2, TargetUserName="m.ito", record_id=7)]
    (_, alone), (key, seen) = matching.flat_map(b"".join(lines))
    assert json.loads(alone)["title"] == "other"
    assert json.loads(alone)["detected_at"]
    occurrence = rows.occurrence_of(seen)
    assert (occurrence.key, occurrence.identity) == ("failed", "WS-1 Security 7")
    assert occurrence.read("TargetUserName") == "m.ito"
    assert json.loads(key)[1:] == ["m.ito"]
    assert metrics.counts == {"lines": 4, "rejected": 1}


def test_groups_do_not_depend_on_case(matching: Matching) -> None:
    """As in one process: the alert shows the name as it was written first."""
    lines = [event(n, TargetUserName=name) for n, name in enumerate(("m.ito", "M.Ito", "M.ITO"))]
    assert {json.loads(key)[1] for key, _ in matching.flat_map(b"".join(lines))} == {"m.ito"}


def test_correlations_that_count_each_other_have_a_key_for_each_group() -> None:
    """One key for all groups would be one value in the state, which is read and written with each hit."""
    for group_by, keys in (("TargetUserName", {"a", "b"}), ("IpAddress", set())):
        chained = correlation("temporal_ordered", "the_event_count, other", "", "60s", group_by)
        found = Matching([*FILES, RuleFile("rules/chain.yml", chained)], [])
        found.open(Metrics())
        lines = [event(0, TargetUserName="a"), event(1, TargetUserName="b")]
        rows_of = [json.loads(key)[1:] for key, _ in found.flat_map(b"".join(lines))]
        assert {key for each in rows_of for key in each} == keys


def test_what_a_savepoint_holds_of_a_changed_rule_is_dropped() -> None:
    """Its timers come back with it, and no correlation of this name is left."""
    cleared = []

    class Restored:
        def clear(self) -> None:
            cleared.append(True)

        def get_current_key(self) -> str:
            return json.dumps(["the fingerprint of an earlier text", "m.ito"])

    restored = Restored()
    correlating = Correlating(FILES, [], Bounds())
    correlating._families, correlating._state = dict(rows.families(rule_set(*TEXTS))), restored
    assert list(correlating.on_timer(0, restored)) == []
    assert cleared == [True]


def test_the_windows_of_an_earlier_version_are_read() -> None:
    """Its checkpoints have the index of temporal_ordered under another name, and none for the other kinds."""
    window = Window(times=[1], entries=[Entry(0, "WS-1 Security 1", "a")])
    old = window.__dict__ | {"by_place": {0: [1]}}
    del old["by_key"]
    restored = Window.__new__(Window)
    restored.__setstate__(old)
    assert restored.by_key == {0: [1]}
    assert pickle.loads(pickle.dumps(window)).by_key == {}  # noqa: S301 - our own bytes


def test_a_hit_is_an_alert_or_goes_to_its_group(matching: Matching) -> None:
    ((key, _),) = matching.flat_map(event(0, 1))
    assert key == ""
    assert list(matching.flat_map(event(2))) == []


def test_a_refused_correlation_silences_no_rule_of_the_job(metrics: Metrics) -> None:
    texts = (TEXTS[0], TEXTS[2].replace("gte: 5", "gte: 0"))
    matching = Matching([RuleFile(f"rules/{number}.yml", text) for number, text in enumerate(texts)], [])
    matching.open(metrics)
    assert [key for key, _ in matching.flat_map(event(0))] == [""]


def test_an_event_without_a_time_alerts_alone_and_is_counted(matching: Matching, metrics: Metrics) -> None:
    lines = [event(0, 1), event(1, TargetUserName="m.ito")]
    timeless = [json.loads(line) | {"timestamp": "at noon"} for line in lines]
    block = b"".join(json.dumps(each).encode() + b"\n" for each in timeless)
    assert [key for key, _ in matching.flat_map(block)] == [""]
    assert metrics.counts["timeless"] == 2


def test_an_event_that_cannot_be_read_does_not_end_the_job(matching: Matching, metrics: Metrics) -> None:
    deep = event(0, 1).replace(b'"WS-1"', b"[" * 900 + b"]" * 900)
    late = event(0, 1).replace(b"2026-01-05T12:00:00.0000000Z", b"9999-12-31T24:00:00Z")
    assert [json.loads(alert)["count"] for _, alert in matching.flat_map(deep + late)] == [1, 1]
    assert metrics.counts["timeless"] == 1


def test_an_alert_goes_to_the_topic_under_its_rule_and_group(matching: Matching) -> None:
    ((_, alert),) = matching.flat_map(event(0, 1))
    told = json.loads(alert)
    key, value = rows.record_of(alert)
    assert json.loads(key) == {"rule_id": told["rule_id"], "group": told["group"]}
    assert value == alert


def test_correlations_that_count_each_other_stand_together() -> None:
    chain = correlation("temporal_ordered", "the_event_count, other", group="TargetUserName")
    apart = correlation("value_count", "other", "{field: F, gte: 2}")
    found = dict(rows.families(rule_set(*TEXTS, chain, apart)))
    assert sorted(len(family) for family in found.values()) == [1, 2]
    assert list(found) != list(
        dict(rows.families(rule_set(*TEXTS, chain, apart.replace("gte: 2", "gte: 3"))))
    )
