"""A wrong example in a rule is reported, because it would pass without testing anything."""

from __future__ import annotations

import pytest
from unit.detection.rule_texts import rule, rule_set

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
    ],
)
def test_a_wrong_example_fails_once(examples: str, said: str) -> None:
    (found,) = results(examples)
    assert not found.passed
    assert said in found.problem
