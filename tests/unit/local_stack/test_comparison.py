"""Rows of a table against the records of its topic."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from local_stack.cdc.comparison import compare, last_rows

Record = tuple[bytes | None, bytes | None]


def record(name: str, after: dict[str, Any] | None) -> Record:
    key = json.dumps({"name": name}).encode()
    return key, json.dumps({"op": "u", "before": None, "after": after, "source": {}}).encode()


def topics_row(name: str, criticality: str) -> dict[str, Any]:
    return {"name": name, "criticality": criticality, "valid_from": "2026-11-21T10:00:00.120000Z"}


def tables_row(name: str, criticality: str) -> dict[str, Any]:
    moment = datetime(2026, 11, 21, 10, 0, 0, 120_000, tzinfo=timezone.utc)
    return {"name": name, "criticality": criticality, "valid_from": moment}


def test_the_newest_record_of_a_key_counts() -> None:
    records = [record("a", topics_row("a", "low")), record("a", topics_row("a", "high"))]
    found = compare("computers", [tables_row("a", "high")], records)
    assert found.equal
    assert (found.rows, found.records) == (1, 2)


def test_what_differs_is_named_by_its_key() -> None:
    rows = [tables_row("same", "low"), tables_row("changed", "low"), tables_row("new", "low")]
    records = [record(name, topics_row(name, "low")) for name in ("same", "gone")]
    found = compare("computers", rows, [*records, record("changed", topics_row("changed", "high"))])
    assert (found.missing, found.surplus, found.different) == (("new",), ("gone",), ("changed",))
    assert not found.equal


def test_a_deleted_row_is_gone_and_may_come_again() -> None:
    key, _ = record("a", None)
    deleted = [record("a", topics_row("a", "low")), record("a", None), (key, None)]
    assert last_rows(deleted) == {}
    assert last_rows([*deleted, record("a", topics_row("a", "high"))])["a"]["criticality"] == "high"
