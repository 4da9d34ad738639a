"""The rows that analytics reads from events, against Python's json."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from examples import examples
from hostile import hostile_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_jvm import Compile

from analytics.fields import FIELDS, columns
from producer.events.formats import FORMATS
from producer.events.generator import GeneratorSettings, generate
from producer.events.line_rule import read_line

pytestmark = pytest.mark.programs

FOLDER = Path(__file__).resolve().parent
TYPE = (
    "ROW<`level` STRING, `log` ROW<`level` STRING, `läng` STRING>, StringInserts ARRAY<STRING>, `a` STRING>"
)
Row = list[Any] | None


class Scanner:
    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def rows(self, records: list[bytes], kind: str = TYPE) -> list[Row]:
        found: list[Row] = json.loads(self._driver.rows(kind, b"\n".join(records)))
        return found

    def row(self, record: bytes) -> Row:
        return self.rows([record])[0]


@pytest.fixture(scope="session")
def scanner(compile_java: Compile) -> Scanner:
    return Scanner(compile_java("MemberScanner", FOLDER / "RowsDriver").newInstance())


def test_a_row_has_the_members_that_the_table_names(scanner: Scanner) -> None:
    event = b'{"x":{"level":"no"},"level":"Error","log":{"y":[1,{"level":2}],"level":"error"},"a":"b"}'
    assert scanner.row(event) == ["Error", ["error", None], None, "b"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (b'"C:\\\\Windows\\\\"', "C:\\Windows\\"),
        (b'"a \\"b\\""', 'a "b"'),
        (b'"\\u00e4\\ud83d\\ude00"', "ä😀"),
        ('"ä😀"'.encode(), "ä😀"),
        (b'""', ""),
        (b"1.10", "1.10"),
        (b"-12345678901234567890", "-12345678901234567890"),
        (b"true", "true"),
        (b"null", None),
        (b'{"b": "]}"}', '{"b": "]}"}'),
        (b"[]", "[]"),
    ],
)
def test_a_text_is_the_value_as_it_is_written(scanner: Scanner, text: bytes, read: str | None) -> None:
    assert scanner.row(b'{"a": ' + text + b' , "z":"\\\\"}') == [None, None, None, read]


def test_a_member_of_another_kind_is_null(scanner: Scanner) -> None:
    event = b'{"log":[],"StringInserts":{"a":1},"level":"Error"}'
    assert scanner.row(event) == ["Error", None, None, None]


def test_the_last_of_two_members_counts(scanner: Scanner) -> None:
    assert scanner.row(b'{"a":"1","a":"2","level":"x","level":null}') == [None, None, None, "2"]


def test_a_name_may_have_escapes(scanner: Scanner) -> None:
    assert scanner.row(b'{"\\u0061":"b","log":{"l\\u00e4ng":"c"}}') == [None, [None, "c"], None, "b"]


def test_an_array_of_texts(scanner: Scanner) -> None:
    event = b'{"StringInserts":[ "a" ,null,"\\"",2,["b"],{}]}'
    assert scanner.row(event) == [None, None, ["a", None, '"', "2", '["b"]', "{}"], None]


@pytest.mark.parametrize(
    "record",
    [b"", b" ", b"[]", b"text", b'"{}"', b"{", b'{"a"', b'{"a":', b'{"a":"b', b'{"a":"b\\"}', b'{"a":1',
     b"{,}", b'{"a":[1}', b'{"a":"b",}', b'{"a" "b"}', b'{"a":,"b":1}', b'{"StringInserts":["a"',
     b'{"StringInserts":["a" "b"]}', b'{"a":"1"}{"a":"2"}', b'{"a":"1"},{"a":"2"}', b'{"a":"b"} garbage',
     b'{"a":tru}', b'{"a":nope}', b'{"a":1-2}', b'{"a":01}', b'{"a":.5}', b'{"StringInserts":[nul]}',
     b'{"StringInserts":["a",]}'],
)  # fmt: skip
def test_what_is_no_object_is_no_row(scanner: Scanner, record: bytes) -> None:
    assert scanner.row(record) is None


_NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_LEAF = st.none() | st.booleans() | _NUMBER | st.text(st.characters(codec="utf-8"))
_NAMES = st.sampled_from(["level", "log", "StringInserts", "a", "läng", "lang", "A", "", '"', "\\"])
_VALUE = st.recursive(_LEAF, lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner), max_leaves=12)
_EVENT = st.dictionaries(_NAMES, _VALUE)


def _wanted(event: dict[str, Any]) -> list[Any]:
    log, inserts = event.get("log"), event.get("StringInserts")
    return [
        _text(event.get("level")),
        [_text(log.get("level")), _text(log.get("läng"))] if isinstance(log, dict) else None,
        [_text(each) for each in inserts] if isinstance(inserts, list) else None,
        _text(event.get("a")),
    ]


def _text(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value)


@given(events=st.lists(_EVENT, min_size=5, max_size=10), ascii_only=st.booleans())
@settings(max_examples=examples(120), deadline=None, suppress_health_check=list(HealthCheck))
def test_rows_of_any_object_equal_those_of_python(
    scanner: Scanner, events: list[dict[str, Any]], ascii_only: bool
) -> None:
    # An object in a column of texts is its JSON, whose escapes are those of the event.
    records = [json.dumps(event, ensure_ascii=ascii_only).encode() for event in events]
    found = scanner.rows(records)
    assert [_plain(row) for row in found] == [_plain(_wanted(event)) for event in events]


def _plain(row: Any) -> Any:
    """Texts that are JSON objects or arrays, parsed: their escapes may differ."""
    if isinstance(row, list):
        return [_plain(each) for each in row]
    if isinstance(row, str) and row[:1] in ("{", "["):
        try:
            return json.loads(row)
        except ValueError:
            return row
    return row


@pytest.mark.parametrize("shape", FORMATS)
def test_generated_events_of_every_shape(scanner: Scanner, shape: str) -> None:
    events = islice(generate(GeneratorSettings(seed=3, hosts=5, fmt=shape)), 500)
    lines = [event.line.rstrip(b"\n") for event in events]
    kind = f"ROW<{columns(FIELDS)}>"
    names = [part.split("`")[1] for part in columns(FIELDS).split("\n")]
    for line, row in zip(lines, scanner.rows(lines, kind), strict=True):
        event = json.loads(line)
        assert row is not None
        for name, value in zip(names, row, strict=True):
            if not isinstance(event.get(name), dict | list):
                assert value == _text(event.get(name)), name


def test_every_hostile_line_that_is_an_event_is_a_row(scanner: Scanner) -> None:
    lines = hostile_lines(1_000)
    rows = scanner.rows(lines)
    events = [read_line(line).reason is None for line in lines]
    assert 0 < sum(events) < len(events)
    assert all(row is not None for row, event in zip(rows, events, strict=True) if event)
