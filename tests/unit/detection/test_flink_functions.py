"""What runs in Flink's Python workers, called as Flink calls it: batches in, hits, keys and alerts out."""

from __future__ import annotations

import json
import warnings

import pandas as pd  # type: ignore[import-untyped]
from pyflink.common import Row
from unit.detection.rule_texts import correlation, event, rule, rule_set

from detection.matching.rule_files import RuleFile

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyFlink uses what it has deprecated itself
    from detection.flink.correlating import Spreading, families
    from detection.flink.matching import Matching

TEXTS = (
    rule("failed", "{EventID: 4625}"),
    rule("other", "{EventID: 1}"),
    correlation("event_count", "failed", "{gte: 5}", "60s", "TargetUserName"),
)
FILES = [RuleFile(f"rules/{number}.yml", text) for number, text in enumerate(TEXTS)]


def test_a_batch_gives_its_hits_at_their_places() -> None:
    matching = Matching(FILES, [])
    matching.open(None)
    lines = [event(0, 1), b"not json", event(1, 2), event(2, TargetUserName="m.ito", record_id=7)]
    found = matching.eval(pd.Series([line.decode().strip() for line in lines] + [None]))
    assert [value is None for value in found] == [False, True, True, False, True]
    hit = json.loads(found[3])
    assert hit["id"] == "WS-1 Security 7"
    assert hit["rules"] == {"failed": {"TargetUserName": "m.ito"}}


def test_a_hit_becomes_an_alert_or_goes_to_its_group() -> None:
    matching, spreading = Matching(FILES, []), Spreading(FILES, [])
    matching.open(None)
    spreading.open(None)
    lines = [event(0, 1), event(1, TargetUserName="m.ito"), event(2)]
    alone, grouped, without = matching.eval(pd.Series([line.decode() for line in lines]))
    ((key, alert),) = spreading.flat_map(Row(alone))
    assert key == ""
    assert json.loads(alert)["title"] == "other"
    assert json.loads(alert)["detected_at"]
    ((key, seen),) = spreading.flat_map(Row(grouped))
    assert json.loads(key)[1:] == ["m.ito"]
    assert json.loads(seen)["fields"] == {"TargetUserName": "m.ito"}
    assert list(spreading.flat_map(Row(without))) == []


def test_correlations_that_count_each_other_stand_together() -> None:
    chain = correlation("temporal_ordered", "the_event_count, other", group="TargetUserName")
    apart = correlation("value_count", "other", "{field: F, gte: 2}")
    found = families(rule_set(*TEXTS, chain, apart))
    assert sorted(len(family) for family in found.values()) == [1, 2]
    assert list(found) != list(families(rule_set(*TEXTS, chain, apart.replace("gte: 2", "gte: 3"))))
