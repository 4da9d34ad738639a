"""Makes foreign text safe for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text without control characters, which a terminal would execute.

    Values and rules are foreign text.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
