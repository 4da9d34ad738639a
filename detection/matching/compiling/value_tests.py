"""The test of one value of a rule, as Python for a Function. Pure; all functions raise NotSupportedError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import re2
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
)

from detection.matching.compiling.function import Function
from detection.matching.compiling.regular_expressions import searcher, words
from detection.matching.compiling.strings import (
    ANY,
    ONE,
    Case,
    NotSupportedError,
    pattern,
    segments,
    simple,
    without_placeholders,
)
from detection.matching.rule_fields import text

_OPERATORS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NEQ": "!="}
NameOf = Callable[[str], str]
"""The name of a rule's field in events."""


def field_test(function: Function, name: str, value: Any, name_of: NameOf) -> str:
    """The test of a field; `name` is the name in events."""
    if isinstance(value, SigmaString):
        cased = isinstance(value, SigmaCasedString)
        return _string(function, function.raw(name) if cased else function.low(name), value)
    if isinstance(value, SigmaTimestampPart):
        return f"time_part({function.raw(name)}, {value.timestamp_part.name!r}) == {value.number!r}"
    if isinstance(value, SigmaNumber):
        return f"{function.raw(name)} == {text(value.number)!r}"
    if isinstance(value, SigmaBool):
        return f"{function.low(name)} in {('true', '1') if value.boolean else ('false', '0')!r}"
    if isinstance(value, SigmaNull):
        return f"{function.raw(name)} is A"
    if isinstance(value, SigmaExists):
        return f"{function.raw(name)} is {'not ' if value.exists else ''}A"
    if isinstance(value, SigmaRegularExpression):
        return f"{_regular(function, value)}({function.raw(name)})"
    if isinstance(value, SigmaCIDRExpression):
        return f"in_network({function.raw(name)}, {function.constant(value.network)})"
    if isinstance(value, SigmaCompareExpression):
        return _compare(function, name, value)
    if isinstance(value, SigmaFieldReference):
        return _reference(function.low(name), function.low(name_of(value.field)), value)
    raise NotSupportedError(f"a value of kind {type(value).__name__}")


def keyword_test(function: Function, value: Any) -> str:
    """The test that finds the value in the texts of an event."""
    if isinstance(value, SigmaRegularExpression):
        return f"{_regular(function, value)}({function.keywords(low=False)})"
    if isinstance(value, SigmaNumber):
        return f"{text(value.number)!r} in {function.keywords(low=False)}"
    if isinstance(value, SigmaString):
        anywhere = type(value)()
        anywhere.s = [ANY, *value.s, ANY]
        return _string(function, function.keywords(low=not isinstance(value, SigmaCasedString)), anywhere)
    raise NotSupportedError(f"a keyword of kind {type(value).__name__}")


def plain_test(variable: str, kind: str, words: list[str], function: Function) -> str:
    """One test for several words: ==, startswith or endswith one of them."""
    words = list(dict.fromkeys(words))
    if kind == "==":
        if len(words) == 1:
            return f"{variable} == {words[0]!r}"
        return f"{variable} in {function.constant(frozenset(words))}"
    word = repr(words[0]) if len(words) == 1 else function.constant(tuple(words))
    return f"{variable}.{kind}({word})"


def _string(function: Function, variable: str, value: SigmaString) -> str:
    cased = isinstance(value, SigmaCasedString)
    case: Case = str if cased else str.lower
    kind, word = simple(value)
    word = case(word)
    if kind == "any":
        return f"{variable} is not A" if cased else f"{variable} != A"
    if kind == "in":
        return f"{word!r} in {variable}"
    if kind != "glob":
        return plain_test(variable, kind, [word], function)
    if ONE in value.s:
        return f"{function.constant(searcher(pattern(value, case)))}({variable})"
    parts = segments(value, case)
    return f"glob({variable}, {parts[0]!r}, {tuple(p for p in parts[1:-1] if p)!r}, {parts[-1]!r})"


def _regular(function: Function, value: SigmaRegularExpression) -> str:
    without_placeholders(value.regexp)
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    expression = str(value.regexp)
    try:
        return function.constant(searcher(f"(?{flags}){expression}" if flags else expression))
    except re2.error as error:
        raise NotSupportedError(f"regular expression {expression!r}: RE2 says {words(error)}") from None


def _compare(function: Function, name: str, value: SigmaCompareExpression) -> str:
    bound, operator = value.number, _OPERATORS[value.op.name]
    if isinstance(bound, SigmaTimestampPart):
        call = f"time_part({function.raw(name)}, {bound.timestamp_part.name!r})"
        known = "" if operator == "!=" else "-1 < "
        return f"{known}{call} {operator} {bound.number!r}"
    found = f"n{function.number_of(name)}"
    known = f"({found} := number({function.raw(name)})) is not None"
    return f"({known} and {found} {operator} {bound.number!r})"


def _reference(own: str, other: str, value: SigmaFieldReference) -> str:
    there = f"{own} != A and {other} != A"
    if value.starts_with and value.ends_with:
        return f"({there} and {other} in {own})"
    if value.starts_with or value.ends_with:
        return f"({there} and {own}.{'startswith' if value.starts_with else 'endswith'}({other}))"
    return f"({there} and {own} == {other})"
