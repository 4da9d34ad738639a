"""Answers of a run over files: the changes that Flink wrote, combined into rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from analytics.tables.declarations import declarations
from producer.events.line_rule import parse_object

Row = dict[str, Any]
_PRIMARY_KEY = re.compile(r"PRIMARY KEY \(([^)]*)\)")


def rows(folder: Path, result: str) -> list[Row]:
    """The last row of every key, in the order of the keys."""
    key = primary_key(result)
    found: dict[tuple[Any, ...], Row] = {}
    for change in _changes(folder / result):
        row = change["after"] or change["before"]
        identity = tuple(row[name] for name in key)
        if change["op"] == "d":
            found.pop(identity, None)
        else:
            found[identity] = row
    return [found[identity] for identity in sorted(found)]


def unreadable(files: Iterable[Path]) -> int:
    """The number of lines that are no JSON objects: Flink leaves them out without a word."""
    found = 0
    for file in files:
        with file.open("rb") as lines:
            found += sum(1 for line in lines if not line.isspace() and parse_object(line) is None)
    return found


def primary_key(result: str) -> tuple[str, ...]:
    """The columns that identify a row of a result."""
    match = _PRIMARY_KEY.search(declarations()[result])
    assert match, result  # noqa: S101 - each table of results.sql has one
    return tuple(name.strip(" `") for name in match[1].split(","))


def _changes(folder: Path) -> Iterator[dict[str, Any]]:
    # One writer: part-UUID-0-N, in the order of N.
    for part in sorted(folder.glob("part-*"), key=lambda part: int(part.name.rpartition("-")[2])):
        with part.open("rb") as lines:
            yield from map(orjson.loads, lines)
