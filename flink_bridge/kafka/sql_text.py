"""How the jobs write texts and the options of a table in Flink SQL. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def with_options(options: Mapping[str, str]) -> str:
    """The clause WITH of a table."""
    return "WITH (\n  " + ",\n  ".join(f"{literal(k)} = {literal(v)}" for k, v in options.items()) + "\n)"
