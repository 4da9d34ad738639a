"""What a viewer's filter lets through."""

from __future__ import annotations

import json

import pytest

from console.state.event import Event, read_event
from console.state.filter import MAX_TEXT, parse_filter


def event(ascii_only: bool = True, **fields: object) -> Event:
    return read_event(1, 0, 0, 0.0, json.dumps(fields, ensure_ascii=ascii_only).encode())


FAILED = event(
    level="Error",
    source="Security",
    event_id=4625,
    computer="DC-010.corp.example",
    message="CORP\\m.ito failed",
)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("FAILED", True),
        ("failed m.ito", True),
        ("failed r.nguyen", False),
        ("corp\\m.ito", True),
        ("event_id:4625", True),
        ("event_id:462", False),
        ("EVENT_ID:4625 computer:dc-010.CORP.example", True),
        ("source:System", False),
        ("level:error", True),
        ("http://x", False),
        ("computer:", False),
        ("message:failed", False),  # no such field: a word, and it does not occur
        ('"', False),  # those of JSON itself are not in any text
    ],
)
def test_words_and_fields(text: str, passes: bool) -> None:
    assert parse_filter(text)(FAILED) is passes


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("word", ["zoë", "日本", "\u202e", "😀"])
def test_words_are_found_in_both_spellings_of_json(word: str, ascii_only: bool) -> None:
    assert parse_filter(word)(event(ascii_only, message=f"a {word} b"))
    assert not parse_filter(word)(event(ascii_only, message="a b"))


@pytest.mark.parametrize("word", ["MÜLLER", "müller", "ΟΔΟΣ", "C:\\\\Über"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_words_are_found_without_case_in_every_alphabet(word: str, ascii_only: bool) -> None:
    failed = event(ascii_only, message="Zugriff für MÜLLER auf C:\\\\Über, οδοσ")
    assert parse_filter(word)(failed)
    assert parse_filter(word.lower())(failed)


def test_a_line_with_odd_escapes_is_searched_too() -> None:
    def found(line: bytes) -> bool:
        return parse_filter("http://MÜLLER")(read_event(1, 0, 0, 0.0, line))

    assert found(rb'{"message":"http:\/\/m\u00DCller"}')
    assert found("no JSON \\u12 http://müller \\".encode())
    assert not found(rb'{"message":"http://m\\u00fcller"}')  # a backslash and what follows it


def test_levels() -> None:
    assert parse_filter("", frozenset({"Error", "Critical"}))(FAILED)
    assert not parse_filter("", frozenset({"Warning"}))(FAILED)


def test_nothing_asked_for_is_no_filter_and_a_long_text_is_cut() -> None:
    assert not parse_filter("   ")
    assert len(parse_filter("a " * 10_000).words) == MAX_TEXT // 2
    parse_filter("\ud800")  # half a character is looked for, not an error
