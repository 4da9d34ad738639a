"""The channels and event ids that a condition needs, for the matcher's index. Pure."""

from __future__ import annotations

from typing import Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionOR
from sigma.types import SigmaCasedString, SigmaNumber, SigmaString

from detection.matching.rule_fields import ALIASES


def event_ids(tree: Any) -> frozenset[int] | None:
    """The event ids for which the condition may be true; None if it may be true for any."""
    texts = _texts(tree, "EventID")
    return None if texts is None else frozenset(int(each) for each in texts if each.isdecimal())


def channels(tree: Any) -> frozenset[str] | None:
    """The channels for which the condition may be true, in lower case; None if it may be true for any."""
    return _texts(tree, "Channel")


def fields(tree: Any) -> frozenset[str]:
    """The names of all fields in a condition."""
    if isinstance(tree, ConditionFieldEqualsValueExpression):
        other = getattr(tree.value, "field", None)
        return frozenset({tree.field} | ({other} if isinstance(other, str) else set()))
    return frozenset().union(*(fields(each) for each in getattr(tree, "args", ())))


def _texts(tree: Any, name: str) -> frozenset[str] | None:
    if isinstance(tree, ConditionFieldEqualsValueExpression):
        if ALIASES.get(tree.field, tree.field) != name:
            return None
        value: Any = tree.value
        plain = isinstance(value, SigmaString) and not isinstance(value, SigmaCasedString)
        if type(value) is SigmaNumber or (plain and all(isinstance(part, str) for part in value.s)):
            return frozenset({str(value).lower() if type(value) is SigmaNumber else "".join(value.s).lower()})
        return None
    bounds = (
        [_texts(each, name) for each in tree.args] if isinstance(tree, ConditionAND | ConditionOR) else []
    )
    if isinstance(tree, ConditionOR):
        return (
            None if None in bounds or not bounds else frozenset().union(*(b for b in bounds if b is not None))
        )
    known = [bound for bound in bounds if bound is not None]
    return frozenset.intersection(*known) if known else None
