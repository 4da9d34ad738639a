"""SQL text that the jobs in SQL share."""

from __future__ import annotations


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
