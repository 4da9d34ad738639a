"""Texts of strangers on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Without anything that a terminal would obey: values and rules come from strangers."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
