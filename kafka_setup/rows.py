"""Prints results and changes: coloured columns on a terminal, plain ones in a pipe, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from rich.text import Text

from kafka_setup.changes.change import Change
from kafka_setup.topology.resources import Result

_COLOURS = {
    "created": "green",
    "ok": "green",
    "create": "green",
    "changed": "yellow",
    "change": "yellow",
    "removed": "yellow",
    "remove": "red",
    "extra": "magenta",
    "remark": "magenta",
    "untried": "yellow",
    "super user": "magenta",
    "blocked": "red",
    "failed": "red",
}
_SIGNS = {"create": "+", "change": "~", "remove": "-", "extra": "?", "remark": "?", "blocked": "!"}


def from_change(change: Change) -> Result:
    return Result(change.action, change.kind, change.name, change.detail)


def as_text(rows: Iterable[Result], *, signs: bool = False) -> Text:
    """One line per result: status, kind, name, detail. `signs` puts + ~ - ? ! before a planned change."""
    rows = list(rows)
    status_width = max((len(row.status) for row in rows), default=0)
    kind_width = max((len(row.kind) for row in rows), default=0)
    name_width = max((len(row.name) for row in rows if row.detail), default=0)
    text = Text()
    for row in rows:
        sign = f"{_SIGNS.get(row.status, ' ')} " if signs else ""
        text.append(f"{sign}{row.status:<{status_width}}", style=_COLOURS.get(row.status, "bright_black"))
        text.append(f"  {row.kind:<{kind_width}}  {row.name:<{name_width}}  {row.detail}".rstrip() + "\n")
    return text


def as_json(rows: Iterable[Result]) -> str:
    """One object per line."""
    return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
