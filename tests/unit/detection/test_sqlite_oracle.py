"""The matcher against pySigma's SQLite backend: random rules over random events, and our own rules."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.detection.rule_texts import rule

from detection.matching.loading import load
from detection.matching.matcher import Matcher
from detection.matching.rule_files import RuleFile, read_rule_files
from detection.matching.rule_set import Rule
from detection.running.rule_source import BUILT_IN
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

backend = pytest.importorskip("sigma.backends.sqlite", reason="pysigma-backend-sqlite needs Python 3.11")

TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "aB",
    "b*",
    "a\\b",
    "C:\\Temp\\a.exe",
    "c:\\temp\\A.EXE",
    "x%y_z",
    "-enc",
    "/enc",
    "10.1.2.3",
)
PATTERNS = (
    *TEXTS,
    "a*",
    "*b",
    "*emp*",
    "?b",
    "a?",
    "*\\\\a.exe",
    "C:\\\\*",
    "a\\*",
    "\\?b",
    "*%*",
    "192.168.*",
)
MODIFIERS = (
    "",
    "|contains",
    "|startswith",
    "|endswith",
    "|cased",
    "|contains|cased",
    "|windash|contains",
    "|contains|all",
)
FIELDS = ("F", "G")


def _quoted(value: str) -> str:
    return orjson.dumps(value).decode()


_fields = st.sampled_from(FIELDS)
_item = st.one_of(
    st.builds(
        lambda name, modifier, values: f"{name}{modifier}: [{', '.join(map(_quoted, values))}]",
        _fields,
        st.sampled_from(MODIFIERS),
        st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
    ),
    st.builds("{}: {}".format, _fields, st.sampled_from(["null", "''"])),
    st.builds("{}|exists: {}".format, _fields, st.sampled_from(["true", "false"])),
    st.builds("N|{}: {}".format, st.sampled_from(["lt", "lte", "gt", "gte"]), st.integers(-1, 3)),
    st.builds("N: {}".format, st.lists(st.integers(0, 3), min_size=1, max_size=2)),
    st.sampled_from(
        ["F|fieldref: G", *(f"F|fieldref|{each}: G" for each in ("startswith", "endswith", "contains"))]
    ),
    st.sampled_from(
        ["F|cidr: 10.1.0.0/16", "F|re: '^a.$'", "F|re|i: 'ab|temp'", "F|base64offset|contains: 'a'"]
    ),
    st.just("F|neq: ab"),
)
_selection = st.lists(_item, min_size=1, max_size=2, unique_by=lambda item: item.partition(":")[0])
_condition = st.sampled_from(
    ["selection", "not selection", "selection and other", "selection or not other", "1 of sel* and not other",
     "all of them", "not (selection and other)", "selection and not 1 of oth*"]
)  # fmt: skip
_event = st.fixed_dictionaries(
    {},
    optional={"F": st.sampled_from(TEXTS), "G": st.sampled_from(TEXTS), "N": st.integers(-2, 4)},
)


def _sql(text: str) -> list[str]:
    from sigma.collection import SigmaCollection

    converter = backend.sqliteBackend(collate_nocase=True, fulltext_field="_text")
    return list(converter.convert(SigmaCollection.from_yaml(text)))


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.create_function(
        "REGEXP", 2, lambda pattern, text: text is not None and bool(re.search(pattern, text))
    )
    names = ", ".join(f"`{name}`" for name in columns)
    database.execute(f"CREATE TABLE logs (row_number INTEGER, {names})")
    marks = ", ".join("?" * (len(columns) + 1))
    values = [(number, *(row.get(name) for name in columns)) for number, row in enumerate(rows)]
    database.executemany(f"INSERT INTO logs VALUES ({marks})", values)  # noqa: S608 - names of this file
    return database


def _by_sql(database: sqlite3.Connection, queries: Sequence[str]) -> set[int]:
    return {row[0] for query in queries for row in database.execute(query)}


@settings(max_examples=examples(150), deadline=None)
@given(
    first=_selection, other=_selection, condition=_condition, events=st.lists(_event, min_size=1, max_size=8)
)
def test_random_rules_find_what_sqlite_finds(
    first: list[str], other: list[str], condition: str, events: list[dict[str, Any]]
) -> None:
    lines = [f"{{{item}}}" for item in (", ".join(map(_flow, first)), ", ".join(map(_flow, other)))]
    text = rule("random", lines[0], condition, more=f"other: {lines[1]}")
    loaded = load([RuleFile("random.yml", text)])
    assert loaded.refusals == (), [str(each) for each in loaded.refusals]
    block = b"".join(
        orjson.dumps({"event_id": 1, "source": "Security", "record_id": number, "data": data}) + b"\n"
        for number, data in enumerate(events)
    )
    found = {hit.event["record_id"] for hit in Matcher(loaded.rules).hits(block)}
    assert found == _by_sql(_table(events, ["F", "G", "N"]), _sql(text)), text


def _flow(item: str) -> str:
    """An item of a mapping in YAML's flow style."""
    name, _, value = item.partition(": ")
    return f"'{name}': {value}"


def test_our_own_rules_find_what_sqlite_finds() -> None:
    start = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
    attacks = ("brute-force", "password-spray", "service-install", "log-cleared", "rogue-account")
    generated = islice(generate(GeneratorSettings(seed=2, scenarios=attacks, start_time=start)), 6_000)
    lines = [event.line for event in generated]
    rows = [_row(orjson.loads(line)) for line in lines]
    rules = load(read_rule_files([BUILT_IN])).rules
    database = _table(rows, sorted({"Channel"}.union(*(each.fields for each in rules))))
    assert len(rules) > 8
    hits: dict[str, set[int]] = {each.head.key: set() for each in rules}
    matcher = Matcher(rules)
    for number, line in enumerate(lines):
        for hit in matcher.hits(line):
            for each in hit.rules:
                hits[each.head.key].add(number)
    for each in rules:
        assert hits[each.head.key] == _by_sql(database, _sql_of(each)), each.head.title
    assert sum(1 for found in hits.values() if found) >= 8


def _row(event: dict[str, Any]) -> dict[str, Any]:
    levels = {"Critical": 1, "Error": 2, "Warning": 3, "Information": 4, "Verbose": 5}
    hour = event["timestamp"].replace("T", " ")[:19]
    numbers = {name: int(text) if text.isdecimal() else text for name, text in event["data"].items()}
    system = {"EventID": event["event_id"], "Channel": event["source"], "Provider_Name": event["provider"]}
    return numbers | system | {"Level": levels[event["level"]], "TimeCreated": hour}


def _sql_of(rule: Rule) -> list[str]:
    (source, *_) = rule.sources
    queries = _sql(rule.head.text)
    channel = f" AND Channel = '{source.channel}'" if source.channel else ""
    return [query.replace(" WHERE ", " WHERE (", 1) + ")" + channel for query in queries]


@pytest.mark.skipif(
    "WIN_EVENT_SIGMAHQ" not in os.environ, reason="WIN_EVENT_SIGMAHQ names no folder of rules"
)
def test_every_rule_of_a_folder_is_loaded_or_refused_and_finds_what_sqlite_finds() -> None:
    """For SigmaHQ's rules/windows, which are not ours to ship."""
    files = read_rule_files([Path(os.environ["WIN_EVENT_SIGMAHQ"])])
    loaded = load(files)
    assert len(loaded.heads) + len({refusal.path for refusal in loaded.refusals}) >= len(files)
    assert all(refusal.reason for refusal in loaded.refusals)
    lines = [event.line for event in islice(generate(GeneratorSettings(seed=1)), 3_000)]
    rows = [_row(orjson.loads(line)) for line in lines]
    rules = [each for each in loaded.rules if _of_our_channels(each)]
    fields = {name.lower(): name for each in rules for name in each.fields}
    database = _table(rows, sorted({**fields, "channel": "Channel"}.values()))
    matcher = Matcher(rules)
    found = {
        (hit.head.key, n) for n, line in enumerate(lines) for each in matcher.hits(line) for hit in each.rules
    }
    expected = {(each.head.key, number) for each in rules for number in _by_sql(database, _sql_of(each))}
    assert found == expected


def _of_our_channels(rule: Rule) -> bool:
    """Rules by channel, without keywords, because the table has no text for them."""
    named = {source.channel for source in rule.sources} <= {"Security", "System", "Application"}
    return named and not any(source.renamed for source in rule.sources) and "keywords" not in rule.head.text
