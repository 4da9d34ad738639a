"""Whether two spellings of a topic setting mean the same to Kafka. Pure.

The broker answers with its own spelling ("compact,delete", "1.0", "true"), whatever the file says, and its
answer does not name the setting's type. So each spelling is interpreted by its form.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def same_value(one: str, other: str) -> bool:
    return _meaning(one) == _meaning(other)


def list_items(value: str) -> frozenset[str]:
    """The items of a list. In Kafka's topic settings, the order of the items never matters."""
    return frozenset(item for part in value.split(",") if (item := part.strip()))


def _meaning(value: str) -> Hashable:
    """The value as a boolean, a number, or the items of a list; other text is a list of one item."""
    text = value.strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    return list_items(text)
