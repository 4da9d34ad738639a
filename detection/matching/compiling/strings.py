"""Reduces a string of a rule with wildcards to plain tests. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import re2
from sigma.types import Placeholder, SigmaString, SpecialChars

ANY, ONE = SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE
Case = Callable[[str], str]


class NotSupportedError(ValueError):
    """A rule uses something that the matcher does not support; the text says what."""


def simple(value: SigmaString) -> tuple[str, str]:
    """(test, word): ==, startswith, endswith, in, any; or ("glob", "") for all other patterns."""
    parts = _checked(value)
    while len(parts) > 1 and parts[0] is ANY and parts[1] is ANY:
        del parts[0]
    words = [part for part in parts if isinstance(part, str)]
    if ONE in parts or len(words) > 1:
        return "glob", ""
    word = words[0] if words else ""
    before, after = bool(parts) and parts[0] is ANY, bool(parts) and parts[-1] is ANY
    if not before and not after:
        return "==", word
    if not word:
        return "any", ""
    return ("in" if before and after else "endswith" if before else "startswith"), word


def segments(value: SigmaString, case: Case) -> list[str]:
    """The texts between the wildcards.

    The first or last is empty if the value begins or ends with a wildcard.
    """
    found = [""]
    for part in value.s:
        if part is ANY:
            found.append("")
        else:
            found[-1] += case(str(part))
    return found


def pattern(value: SigmaString, case: Case) -> str:
    """The string as a regular expression, for wildcards that match a single character."""
    words = {ANY: ".*", ONE: "."}
    parts = (words.get(part) or re2.escape(case(str(part))) for part in _checked(value))
    return r"(?s)\A" + "".join(parts) + r"\z"


def without_placeholders(value: SigmaString) -> None:
    """Check that the value has no placeholder. Raises NotSupportedError."""
    names = ", ".join(f"%{part.name}%" for part in value.s if isinstance(part, Placeholder))
    if names:
        raise NotSupportedError(
            f"placeholder '{names}' has no values; give them in a pipeline: --pipeline FILE"
        )


def _checked(value: SigmaString) -> list[Any]:
    without_placeholders(value)
    return list(value.s)
