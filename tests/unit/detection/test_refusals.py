"""A rule that cannot work is refused with file, line and reason; the others are used."""

from __future__ import annotations

import pytest
from unit.detection.rule_texts import FILTER

from detection.detector import counted
from detection.matching.loading import PipelineError, load
from detection.matching.rule_files import RuleFile
from detection.matching.rule_set import RuleSet

UUID = "0b097364-b657-5b77-80ea-b78355dd2254"
GOOD = """title: Good
name: good
logsource: {product: windows, service: security}
detection:
  selection: {EventID: 4625}
  condition: selection
"""
BURST = """title: Burst
correlation:
  type: TYPE
  rules: [good]
  group-by: [Computer]
  timespan: 5m
  condition: CONDITION
"""


def loaded(*texts: str, pipelines: tuple[str, ...] = ()) -> RuleSet:
    files = [RuleFile(f"rules/{number}.yml", text) for number, text in enumerate(texts)]
    return counted(load(files, pipelines))


def _rule(**changes: str) -> str:
    text = GOOD.replace("title: Good\nname: good", "title: Bad")
    for old, new in changes.items():
        text = text.replace({"selection": "{EventID: 4625}"}.get(old, old), new)
    return text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("title: [", 1, "not YAML"),
        ("- a\n- list", 1, "a rule is a mapping"),
        (_rule(selection="{Image|nonsense: x}"), 4, "Unknown modifier 'nonsense'"),
        (_rule(selection="{Image|re: '(?=a)b'}"), 4, "(?=a)b"),
        (_rule(selection="{Image|re: '('}"), 4, "("),
        (_rule(selection="{Image|re: '(a{1000}){1000}'}"), 4, "is invalid: invalid repetition size"),
        (_rule(selection="{Image|expand: '%tools%'}"), 4, "%tools%"),
        (_rule(selection="{Image|cidr: 10.0.0.0/99}"), 4, "Invalid CIDR"),
        (_rule(windows="linux"), 2, "product 'linux'"),
        (_rule(security="nothing"), 1, "service nothing"),
        (_rule(selection="{EventID: 1}\n  condition: twice"), 6, "'condition' occurs twice"),
        (
            GOOD.replace("title: Good\nname: good", "title: Bad").replace(": selection", ": missing"),
            5,
            "'missing'",
        ),
        ("title: No detection\nlogsource: {product: windows}\n", 1, "detection"),
        (
            BURST.replace("[good]", "[missing]")
            .replace("TYPE", "event_count")
            .replace("CONDITION", "{gte: 5}"),
            4,
            "'missing'",
        ),
        (BURST.replace("TYPE", "event_count").replace("CONDITION", "{gte: 0}"), 7, "met by nothing"),
        (
            BURST.replace("[good]", "[good, good]")
            .replace("TYPE", "event_count")
            .replace("CONDITION", "{gte: 5}"),
            4,
            "good twice",
        ),
        (BURST.replace("TYPE", "event_counts").replace("CONDITION", "{gte: 5}"), 3, "event_counts"),
        (BURST.replace("TYPE", "value_count").replace("CONDITION", "{gte: 5}"), 1, "field"),
        (
            BURST.replace("TYPE", "event_count").replace("5m", "five").replace("CONDITION", "{gte: 5}"),
            6,
            "five",
        ),
        (BURST.replace("TYPE", "event_count").replace("CONDITION", "{neq: 0}"), 7, "always met"),
        (BURST.replace("TYPE", "event_count").replace("CONDITION", "{lt: 1}"), 7, "never met"),
        (BURST.replace("TYPE", "temporal").replace("CONDITION", "{gte: 0}"), 7, "met by nothing"),
        (BURST.replace("TYPE", "temporal").replace("CONDITION", "{gte: 5}"), 7, "lists only 1"),
        (_rule(selection="{Image|nonsense: x}").replace("Bad", "nonsense"), 4, "Unknown modifier 'nonsense'"),
        (BURST.replace("TYPE", "temporal").replace("CONDITION", "not good"), 7, "met without any event"),
    ],
)
def test_it_is_told_where_and_why(text: str, line: int, words: str) -> None:
    rules = loaded(GOOD, text)
    (refusal, *_) = rules.refusals
    assert words in refusal.reason
    assert (refusal.path, refusal.line) == ("rules/1.yml", line)
    assert [rule.head.title for rule in rules.rules] == ["Good"]
    assert rules.correlations == ()


def test_a_correlation_falls_with_what_it_refers_to_and_circles_are_none() -> None:
    circle = BURST.replace("title: Burst", "title: {0}\nname: {0}").replace("TYPE", "event_count")
    circle = circle.replace("CONDITION", "{{gte: 2}}")
    first = circle.format("a").replace("[good]", "[b]")
    second = circle.format("b").replace("[good]", "[a]")
    upper = circle.format("c").replace("[good]", "[a]")
    rules = loaded(GOOD, first, second, upper)
    assert {refusal.path for refusal in rules.refusals} == {"rules/1.yml", "rules/2.yml", "rules/3.yml"}
    assert rules.correlations == ()


def test_one_id_stands_once() -> None:
    rules = loaded(GOOD, GOOD)
    assert str(rules.refusals[0]) == "rules/1.yml:2: 'good' is in rules/0.yml:1 already"


def test_one_name_stands_once() -> None:
    """A correlation would count only one of the two."""
    first, second = (GOOD.replace("title: Good", f"title: T{n}\nid: {UUID[:-1]}{n}") for n in (1, 2))
    rules = loaded(first, second)
    assert [str(each) for each in rules.refusals] == [
        "rules/1.yml:3: 'good' is the name of another rule already"
    ]
    assert [each.head.title for each in rules.rules] == ["T1"]


def test_an_alias_has_a_field_for_each_rule() -> None:
    other = GOOD.replace("good", "other").replace("Good", "Other")
    burst = BURST.replace("TYPE", "event_count").replace("CONDITION", "{gte: 2}").replace("Computer", "who")
    burst = burst.replace("[good]", "[good, other]")
    assert "alias 'who' has no field for rule 'other'" in str(
        loaded(GOOD, other, burst + "  aliases:\n    who: {good: TargetUserName}\n").refusals[0]
    )
    whole = burst + "  aliases:\n    who: {good: TargetUserName, other: SubjectUserName}\n"
    assert loaded(GOOD, other, whole).refusals == ()


def test_a_filter_without_effect_is_refused() -> None:
    of_system = FILTER.replace("failed", "good").replace("service: security", "service: system")
    assert "has no effect" in loaded(GOOD, of_system).refusals[0].reason


def test_a_filter_of_a_rule_that_is_not_there_is_refused() -> None:
    assert "'missing'" in loaded(GOOD, FILTER.replace("failed", "missing")).refusals[0].reason
    assert loaded(GOOD, FILTER.replace("failed", "good")).refusals == ()


def test_a_pipeline_that_is_none_is_a_mistake_of_the_call() -> None:
    with pytest.raises(PipelineError):
        loaded(GOOD, pipelines=("transformations: [{type: nonsense}]",))
    with pytest.raises(PipelineError, match="a pipeline is a mapping"):
        loaded(GOOD, pipelines=("only words",))


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("event_count", "{gte: 0}"),
        ("value_count", "{field: [a, b], gte: 2}"),
        ("temporal", "{lt: 1}"),
        ("temporal_ordered", "{gte: 5}"),
        ("temporal_ordered", "good"),
    ],
)
def test_a_refused_correlation_silences_no_rule(kind: str, condition: str) -> None:
    """Otherwise a mistake in a correlation would hide the rule that it refers to."""
    burst = BURST.replace("TYPE", kind).replace("CONDITION", condition)
    rules = loaded(GOOD, burst, burst.replace("title: Burst", "title: Other"))
    assert rules.correlations == ()
    assert [each.head.alerts for each in rules.rules] == [True]


def test_a_rule_is_as_silent_as_the_correlations_that_are_left_say() -> None:
    good = BURST.replace("TYPE", "event_count").replace("CONDITION", "{gte: 2}")
    refused = good.replace("title: Burst", "title: Wrong").replace("gte: 2", "gte: 0")
    for left, alerts in ((good, False), (good.replace("  rules", "  generate: true\n  rules"), True)):
        rules = loaded(GOOD, left, refused.replace("  rules", "  generate: true\n  rules"))
        assert [each.head.title for each in rules.correlations] == ["Burst"]
        assert [each.head.alerts for each in rules.rules] == [alerts]
