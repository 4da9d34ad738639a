"""A wrong example in a rule is reported, because it would pass without testing anything."""

from __future__ import annotations

import pytest
from unit.detection.rule_texts import rule, rule_set

from detection.running.advice import notes
from detection.running.examples import Example, run_examples


def results(examples: str) -> list[Example]:
    return list(run_examples(rule_set(rule("failed", "{EventID: 4625}") + f"examples: {examples}\n")))


def test_a_case_matches_or_does_not() -> None:
    found = results("{match: [[{event_id: 4625}], [{event_id: 1}]], no_match: [[{event_id: 1}]]}")
    assert [each.passed for each in found] == [True, False, True]


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ("17", "expected match and no_match"),
        ("{no-match: [[{event_id: 1}]]}", "not no-match"),
        ("{no_match: nothing}", "no_match: expected a list of cases"),
        ("{no_match: [{event_id: 1}]}", "not dict"),
        ("{no_match: [17]}", "not int"),
        ("{no_match: [[]]}", "it is empty"),
        ("{no_match: [[17]]}", "not 17"),
        ("{no_match: [[{event_id: 4625, times: 0}]]}", "times: 0"),
        ("{no_match: [[{event_id: 4625, times: 100001}]]}", "times: 100001"),
        ("{no_match: [[{event_id: 1, after: soon}]]}", "soon"),
        ("{no_match: [[{event_id: 1, after: .inf}]]}", "infinity"),
        ("{no_match: [[{event_id: 1, times: .inf}]]}", "infinity"),
        ("{no_match: [[{event_id: 1, after: 1.0e+18}]]}", "not a list of events"),
        ("{no_match: [[{eventid: 4625}]]}", "1 of its events are no events"),
        ("{no_match: [[{event_id: 4625, dat: {}, evry: 1}]]}", "dat, evry: no field of an event"),
    ],
)
def test_a_wrong_example_fails_once(examples: str, said: str) -> None:
    (found,) = results(examples)
    assert not found.passed
    assert said in found.problem


@pytest.mark.parametrize(
    ("kind", "condition", "never"),
    [
        ("event_count", "{gte: 1}", False),
        ("temporal", "{gte: 1}", False),
        ("temporal", "{gte: 2}", True),
        ("temporal", "dead or failed", False),
        ("temporal", "dead and failed", True),
        ("temporal", "failed and not dead", False),
    ],
)
def test_a_correlation_never_alerts_only_if_the_living_rules_cannot_meet_it(
    kind: str, condition: str, never: bool
) -> None:
    burst = (
        f"title: both\ncorrelation:\n  type: {kind}\n  rules: [dead, failed]\n  group-by: [Computer]\n"
        f"  timespan: 5m\n  condition: {condition}\n"
    )
    rules = rule_set(rule("dead", "{EventID: 9}"), rule("failed", "{EventID: 4625}"), burst)
    assert notes(rules)["both"].startswith("never") == never
