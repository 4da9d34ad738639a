"""Conditions as Python: pySigma's tree becomes one expression, with True and False for known parts. Pure."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    SigmaCasedString,
    SigmaCompareExpression,
    SigmaExpansion,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
)

from detection.matching.compiling.function import Function, Whole
from detection.matching.compiling.strings import NotSupportedError, simple
from detection.matching.compiling.value_tests import field_test, keyword_test, plain_test
from detection.matching.rule_fields import ALIASES, Shape, level
from producer.event_shapes import LEVELS

_DEEPEST = 60
_MEETS = {"LT": operator.lt, "LTE": operator.le, "GT": operator.gt, "GTE": operator.ge, "NEQ": operator.ne}


class Known(NamedTuple):
    """The known fields of the events that a function is made for; None if nothing is known."""

    channel: str | None = None
    event_id: int | None = None


_NOTHING = Known()


class Compiler:
    """Adds rules to one Function."""

    def __init__(self, known: Known = _NOTHING) -> None:
        self.function = Function()
        self._known = known
        self._renamed: dict[str, str] = {}

    def add(self, number: int, tree: Any, renamed: dict[str, str] | None = None) -> None:
        """Add the condition of rule `number`. Raises NotSupportedError."""
        self._renamed = renamed or {}
        self.function.add(number, self._condition(tree, 0))

    def _condition(self, tree: Any, depth: int) -> str | bool:
        if depth > _DEEPEST:
            raise NotSupportedError(f"the condition nests deeper than {_DEEPEST}")
        if isinstance(tree, ConditionAND):
            return _join(" and ", (self._condition(each, depth + 1) for each in tree.args), False)
        if isinstance(tree, ConditionOR):
            return self._any(tree.args, depth)
        if isinstance(tree, ConditionNOT):
            inner = self._condition(tree.args[0], depth + 1)
            return not inner if isinstance(inner, bool) else f"(not {inner})"
        if isinstance(tree, ConditionFieldEqualsValueExpression):
            return self._field(self._name(tree.field), tree.value)
        if isinstance(tree, ConditionValueExpression):
            return self._keyword(tree.value)
        raise NotSupportedError(f"a condition of kind {type(tree).__name__}")

    def _any(self, trees: Sequence[Any], depth: int) -> str | bool:
        """An OR of conditions; plain strings for one field become one test."""
        together: dict[tuple[str, str], list[str]] = {}
        others: list[str | bool] = []
        for tree in trees:
            found = self._plain(tree)
            if found is None:
                others.append(self._condition(tree, depth + 1))
            else:
                together.setdefault(found[:2], []).append(found[2])
        tests: list[str | bool] = [plain_test(*key, words, self.function) for key, words in together.items()]
        return _join(" or ", [*tests, *others], True)

    def _plain(self, tree: Any) -> tuple[str, str, str] | None:
        """(variable, kind of test, text) of a condition that compares a field with a string without case."""
        if not isinstance(tree, ConditionFieldEqualsValueExpression) or type(tree.value) is not SigmaString:
            return None
        name = self._name(tree.field)
        if self._known_text(name) is not None or name == "Level":
            return None
        kind, word = simple(tree.value)
        plain = kind in ("==", "startswith", "endswith")
        return (self.function.low(name), kind, word.lower()) if plain else None

    def _field(self, name: str, value: Any) -> str | bool:
        if isinstance(value, SigmaExpansion):
            return _join(" or ", (self._field(name, each) for each in value.values), True)
        known = self._known_text(name)
        if known is not None:
            return self._folded(known, name, value)
        plain = isinstance(value, SigmaString) and not value.contains_special()
        if name == "Level" and (plain or isinstance(value, SigmaNumber)):
            value = SigmaString(level(str(value)))
        if name == "Level" and isinstance(value, SigmaCompareExpression):
            return self._level(value)
        return field_test(self.function, name, value, self._name)

    def _level(self, value: SigmaCompareExpression) -> str | bool:
        """The comparison of a level with a number, as a test of its word."""
        if not isinstance(value.number, SigmaNumber):
            raise NotSupportedError("a part of the time of a Level")
        meets, bound = _MEETS[value.op.name], value.number.number
        words = [word.lower() for number, word in LEVELS.items() if number and meets(number, bound)]
        return plain_test(self.function.low("Level"), "==", words, self.function) if words else False

    def _keyword(self, value: Any) -> str | bool:
        if isinstance(value, SigmaExpansion):
            return _join(" or ", (self._keyword(each) for each in value.values), True)
        return keyword_test(self.function, value)

    def _name(self, field: str) -> str:
        return ALIASES.get(field, self._renamed.get(field, field))

    def _known_text(self, name: str) -> str | None:
        if name == "EventID" and self._known.event_id is not None:
            return str(self._known.event_id)
        return self._known.channel if name == "Channel" else None

    def _folded(self, known: str, name: str, value: Any) -> str | bool:
        """The result of a test of a field whose text is known when the function is made."""
        if name == "Channel" and _needs_case(value):  # only the channel in lower case is known
            return field_test(self.function, name, value, self._name)
        alone = Function()
        alone.add(0, field_test(alone, name, value, self._name))
        check = alone.made()
        if check is None or alone.reads != {name}:  # it compares the field with another one
            return field_test(self.function, name, value, self._name)
        shape = Shape("known", {name: ("known",)}, lambda event: event)
        return bool(check(None, Whole(shape, {"known": known}, {})))


def _needs_case(value: Any) -> bool:
    return isinstance(value, SigmaCasedString | SigmaRegularExpression)


def _join(operator: str, tests: Iterable[str | bool], decisive: bool) -> str | bool:
    """Join expressions; `decisive`: the truth value that decides the whole."""
    found = []
    for test in tests:
        if test is decisive:
            return decisive
        if not isinstance(test, bool):
            found.append(test)
    if not found:
        return not decisive
    return found[0] if len(found) == 1 else f"({operator.join(found)})"
