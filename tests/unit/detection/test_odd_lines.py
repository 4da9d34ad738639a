"""Lines that are odd, broken or hostile: what they match, and what is counted, does not depend on the way
by which they are read. The first event of a kind is parsed whole, those behind it only as far as rules ask.
"""

from __future__ import annotations

from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.detection.rule_texts import rule, rule_set

from detection.matching.matcher import Matcher
from detection.matching.rule_set import RuleSet

_TEXTS = (
    rule("equal", "{EventID: 4625, F: a}"),
    rule("part", "{F|contains: Secret, G|startswith: B}"),
    rule("absent", "{EventID: 4625, G: null}"),
    rule("provider", "{EventID: 1, Provider_Name: p}"),
    rule("word", "['secret']", service="system"),
)
RULES = rule_set(*_TEXTS)
MANY_RULES = rule_set(*_TEXTS, *(rule(f"other {n}", f"{{F|contains: other{n}}}") for n in range(40)))
TIME = '{"timestamp":"2026-01-05T12:00:00Z","level":"Information",'
HEAD = TIME.encode() + b'"source":"Security","event_id":4625,"data":{"F":"a"}'
VALUES = (
    '"a"', '"Security"', '"System"', '"secret"', '"A\\u0042"', '"\\ud83d\\ude00"', '"\\ud800"', '"ä"',
    '"\\q"', "null", "true", "tru", "1", "01", "4625", "4625.0", "-4625", "1e999", "18446744073709551617",
    '{"F":"a","G":"B"}', '{"F":"other7","G":"b"}', '{"F":"a SECRET","G":"bx"}', '{"F":1}',
    '{"F":"x","F":"a"}', '{"F":"\\u0073ecret","G":"B"}', '{"F":"ä"}', '{"G":null,"F":"a"}',
    '{"#text":"a"}', "{}", "{", "[]", "[1,]", '"', '"\t"',
)  # fmt: skip
_names = st.sampled_from(["source", "event_id", "data", "provider", "message", "winlog", "x"])
_members = st.builds('"{}":{}'.format, _names, st.sampled_from(VALUES))
_begin = st.sampled_from(
    ["{", '{"source":"Security","event_id":4625,', f'{TIME}"source":"Security","event_id":4625,',
     '{"source":"Security","event_id":1,"provider":"p",', '{"source":"System","event_id":7,',
     f'{TIME}"source":"Application","event_id":9,']
)  # fmt: skip
_lines = st.builds(
    lambda begin, members, end: (begin + ",".join(members) + end).encode(),
    _begin, st.lists(_members, max_size=3), st.sampled_from(["}", "}\r", "", "} {}", "}x"]),
)  # fmt: skip


def _found(matcher: Matcher, block: bytes) -> tuple[list[list[str]], int, int]:
    hits = [[each.head.title for each in hit.rules] for hit in matcher.hits(block)]
    counts = matcher.counts.lines, matcher.counts.rejected
    matcher.counts.lines = matcher.counts.rejected = 0
    return hits, *counts


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(_lines, min_size=1, max_size=6), st.sampled_from([RULES, MANY_RULES]))
def test_a_line_says_the_same_by_itself_and_among_others(lines: list[bytes], rules: RuleSet) -> None:
    """Each line alone in a new matcher gives the same as all lines in one matcher."""
    alone = [_found(Matcher(rules.rules), line) for line in lines]
    matcher = Matcher(rules.rules)
    expected = [each for hits, _, _ in alone for each in hits], len(lines), sum(each[2] for each in alone)
    for _ in range(2):
        assert _found(matcher, b"\n".join(lines) + b"\n") == expected


def test_a_line_that_breaks_behind_its_head_is_rejected_whether_a_rule_asks_for_it_or_not() -> None:
    whole = [HEAD + b"}", HEAD.replace(b"Security", b"Application") + b"}"]
    matcher = Matcher(RULES.rules)
    assert _found(matcher, b"\n".join(whole)) == ([["equal", "absent"]], 2, 0)
    for line in whole:
        for broken in (line[:-1], line + b"}", line[:-1] + b',"x":01}', line[:-1] + b',"x":"\xff"}'):
            assert _found(matcher, broken) == ([], 1, 1), broken


def test_a_line_that_nests_too_deep_is_rejected_however_long() -> None:
    matcher = Matcher(RULES.rules)
    assert _found(matcher, HEAD + b"}")[0]
    for depth, rejected in ((900, 0), (1_100, 1), (100_000, 1)):
        for begin, end in ((b"[", b"]"), (b'{"":', b"}")):
            value = begin * depth + b"0" + end * depth
            found = _found(matcher, HEAD + b',"x":' + value + b"}")
            assert found[1:] == (1, rejected), (depth, begin)


def test_a_field_of_any_name_can_be_asked_for() -> None:
    for name in ('a"b', "a\\b", "a b", "class", "é", "f"):
        line = rule("odd name", "{'NAME': x}".replace("NAME", name))
        event = '{"source":"Security","event_id":1,"data":{"NAME":"X"}}'
        block = event.replace("NAME", name.replace("\\", "\\\\").replace('"', '\\"')).encode() + b"\n"
        matcher = Matcher(rule_set(line).rules)
        assert _found(matcher, block * 2)[0] == [["odd name"], ["odd name"]], name
