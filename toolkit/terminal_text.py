"""Makes foreign text safe for a terminal. Pure."""

from __future__ import annotations

import re

# Control characters move the cursor and set the title; line separators and marks of direction make a line
# look like another one; half a surrogate pair cannot be written.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with escapes (`\\x1b`) for all that a terminal would execute. Events and rules are foreign."""
    if text.isprintable():
        return text
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
