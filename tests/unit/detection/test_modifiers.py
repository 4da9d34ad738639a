"""Every modifier of the Sigma specification 2.1, by what it must and must not match."""

from __future__ import annotations

import base64

import orjson
import pytest
from unit.detection.rule_texts import rule, rule_set

from detection.matching.matcher import Matcher

SECRET = base64.b64encode(b"x whoami").decode()
WIDE_SECRET = base64.b64encode("whoami".encode("utf-16-le")).decode()


def matches(selection: str, value: object, condition: str = "selection", more: str = "") -> bool:
    """Whether an event with F = value is a hit; asserts that the full and the quick way agree."""
    matcher = Matcher(rule_set(rule("r", selection, condition, more=more)).rules)
    data = {"F": value, "G": "powershell.exe"}
    line = orjson.dumps({"source": "Security", "event_id": 4688, "data": data}) + b"\n"
    found = [len(list(matcher.hits(line))) for _ in range(2)]
    assert found in ([0, 0], [1, 1])
    return bool(found[0])


@pytest.mark.parametrize(
    ("selection", "yes", "no"),
    [
        ("{F: ABC}", "abc", "abcd"),
        ("{F|contains: BC}", "abcd", "acbd"),
        ("{F|startswith: AB}", "abc", "cab"),
        ("{F|endswith: BC}", "abc", "bca"),
        ("{F|contains|all: [a, b]}", "xbxa", "xa"),
        ("{F|contains: [a, b]}", "xb", "xc"),
        ("{F|cased: Abc}", "Abc", "abc"),
        ("{F|contains|cased: B}", "aBc", "abc"),
        ("{F|re: 'ab+c$'}", "xabbc", "xABC"),
        ("{F|re|i: 'ab+c$'}", "xABBC", "xABCx"),
        ("{F|re|m: '^b$'}", "a\nb\nc", "a\nbc"),
        ("{F|re|s: 'a.c'}", "a\nc", "ac"),
        ("{F|re: 'a.c'}", "abc", "a\nc"),
        ("{F|cidr: 192.168.0.0/16}", "192.168.7.1", "192.169.7.1"),
        ("{F|cidr: 'fe80::/10'}", "fe80::1", "fd80::1"),
        ("{F|cidr: 10.0.0.0/8}", "::ffff:10.1.2.3", "nonsense"),
        ("{F|lt: 5}", "4", "5"),
        ("{F|lte: 5}", 5, "6"),
        ("{F|gt: 5}", "5.5", "5"),
        ("{F|gte: 5}", "5", "no number"),
        ("{F|neq: abc}", "abd", "ABC"),
        ("{F|exists: true}", "", None),
        ("{F|exists: false}", None, ""),
        ("{F: null}", None, ""),
        ("{F: ''}", "", "x"),
        ("{F|fieldref: G}", "POWERSHELL.exe", "cmd.exe"),
        ("{F|fieldref|startswith: G}", "powershell.exe -enc", "x powershell.exe"),
        ("{F|fieldref|endswith: G}", "c:\\powershell.exe", "powershell.exe -enc"),
        ("{F|fieldref|contains: G}", "x powershell.exe y", "powershell"),
        ("{F|windash|contains: ' -enc '}", "p /enc x", "p +enc x"),
        ("{F|windash|contains: ' -enc '}", "p \u2013enc x", "p enc x"),
        ("{F|base64: 'x whoami'}", SECRET, "x whoami"),
        ("{F|base64offset|contains: whoami}", f"-enc {SECRET}", "-enc d2hv"),
        ("{F|wide|base64: whoami}", WIDE_SECRET, base64.b64encode(b"whoami").decode()),
        ("{F|utf16be|base64offset|contains: whoami}",
         base64.b64encode("whoami".encode("utf-16-be")).decode(), WIDE_SECRET),
        ("{F: 'a?c*'}", "abcdef", "acdef"),
        ("{F: 'a\\*c'}", "a*c", "abc"),
        ("{F: [1, 2]}", "2", "12"),
        ("{F: true}", "TRUE", "false"),
        ("{'F|hour': 14}", "2026-01-05T14:30:00Z", "2026-01-05T15:30:00Z"),
        ("{'F|hour': 14}", "2026-01-05 23:30:00 +0900", "2026-01-05 14:30:00 +0900"),
        ("{'F|minute|gte': 30}", "2026-01-05T14:30:00Z", "2026-01-05T14:29:59Z"),
        ("['whoami']", "run WHOAMI now", "run"),
        ("{'|all': ['whoami', 'now']}", "run whoami now", "run whoami"),
    ],
)  # fmt: skip
def test_a_modifier_means_what_the_specification_says(selection: str, yes: object, no: object) -> None:
    assert matches(selection, yes), (selection, yes)
    assert not matches(selection, no), (selection, no)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("{'Channel|cased': Security}", True),
        ("{'Channel|cased': security}", False),
        ("{'Channel|re': '^Security$'}", True),
        ("{'Channel|re': '^security$'}", False),
        ("{'Channel|re|i': '^security$'}", True),
        ("{Channel: SECURITY}", True),
        ("{'Channel|contains': CURI}", True),
    ],
)
def test_the_channel_has_its_case_where_a_rule_asks_for_it(selection: str, expected: bool) -> None:
    assert matches(selection, "x") == expected


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("1 of sel*", "one", "none"),
        ("all of sel*", "one two", "one"),
        ("1 of them", "two", "none"),
        ("all of them", "one two", "two"),
        ("selection and not selection2", "one", "one two"),
        ("not 1 of sel*", "none", "two"),
        ("(selection or selection2) and not (selection and selection2)", "two", "one two"),
    ],
)
def test_a_condition_joins_selections(condition: str, yes: str, no: str) -> None:
    more = "selection2: {F|contains: two}"
    selection = "{F|contains: one}"
    no = no.replace("none", "neither")
    yes = yes.replace("none", "neither")
    assert matches(selection, yes, condition, more), condition
    assert not matches(selection, no, condition, more), condition


def test_several_conditions_are_alternatives() -> None:
    text = rule("r", "{F: a}", "selection", more="other: {F: b}")
    text = text.replace("  condition: selection\n", "  condition: [selection, other]\n")
    matcher = Matcher(rule_set(text).rules)
    found = [
        len(list(matcher.hits(orjson.dumps({"source": "Security", "event_id": 1, "data": {"F": value}}))))
        for value in ("a", "b", "c")
    ]
    assert found == [1, 1, 0]


def test_expand_takes_its_values_from_a_pipeline() -> None:
    pipeline = (
        "name: p\npriority: 1\nvars: {tools: [psexec, mimikatz]}\n"
        "transformations:\n  - {id: v, type: value_placeholders}\n"
    )
    rules = rule_set(rule("r", "{F|contains|expand: '%tools%'}"), pipelines=(pipeline,))
    matcher = Matcher(rules.rules)
    lines = [
        orjson.dumps({"source": "Security", "event_id": 1, "data": {"F": value}})
        for value in ("run PSEXEC", "mimikatz", "calc", "%tools%")
    ]
    assert [len(list(matcher.hits(line))) for line in lines] == [1, 1, 0, 0]


def test_global_gives_to_every_rule_of_its_file() -> None:
    head = "action: global\nlogsource: {product: windows, service: security}\nlevel: high\n"
    body = "---\ntitle: T{0}\nname: t{0}\ndetection: {{selection: {{EventID: {0}}}, condition: selection}}\n"
    rules = rule_set(head + body.format(1) + body.format(2))
    assert [(each.head.title, each.head.level) for each in rules.rules] == [("T1", "high"), ("T2", "high")]
    line = b'{"source":"Security","event_id":2}'
    assert [each.head.title for hit in Matcher(rules.rules).hits(line) for each in hit.rules] == ["T2"]
