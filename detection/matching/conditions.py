"""Conditions as Python: an expression for a rule, in one function for all rules of a kind of event. Pure.

The function reads every field once and lowers it once. pySigma's tree is the input; constants are written as
literals by repr() or handed over as values, so no text of a rule is ever run. exec is here because the
function is four times as fast as a tree of closures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import re2
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from detection.matching import values
from detection.matching.event_fields import (
    ABSENT,
    ALIASES,
    Event,
    Shape,
    full_text,
    is_system_field,
    level,
    system_field,
    text,
)
from detection.matching.regular_expressions import searcher

_DEEPEST = 60
_ANY, _ONE = SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE
_OPERATORS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NEQ": "!="}
Check = Callable[[Shape, Event, Event], list[int]]
"""(shape, event, its data) -> numbers of the rules that match, in the order in which they were compiled."""


class NotSupportedError(ValueError):
    """Something in a rule that the matcher cannot do; the text says what."""


class Known(NamedTuple):
    """What is known of the events that a function is made for; None: nothing."""

    channel: str | None = None
    event_id: int | None = None


_NOTHING = Known()


class Compiler:
    """Collects the rules of one function. Expressions are Python text, or True and False where known."""

    def __init__(self, known: Known = _NOTHING) -> None:
        self._known = known
        self._renamed: dict[str, str] = {}
        self._fields: dict[str, int] = {}
        self._lowered: set[str] = set()
        self._constants: dict[str, Any] = {
            "A": ABSENT, "T": text, "S": system_field, "K": full_text, "number": values.number,
            "in_network": values.in_network, "glob": values.glob, "time_part": values.time_part,
        }  # fmt: skip
        self._lines: list[str] = []

    def add(self, number: int, tree: Any, renamed: dict[str, str] | None = None) -> None:
        """Raises NotSupportedError."""
        self._renamed = renamed or {}
        condition = self._condition(tree, 0)
        if condition is True:
            self._lines.append(f"h.append({number})")
        elif condition is not False:
            self._lines.append(f"if {condition}: h.append({number})")

    def check(self) -> Check | None:
        """The function; None when no rule can match."""
        if not self._lines:
            return None
        lines = ["h = []", "k = kl = None", *self._loads(), *self._lines, "return h"]
        source = "def check(shape, e, d):\n" + "".join(f"    {line}\n" for line in lines)
        names = dict(self._constants)
        exec(compile(source, "<rules>", "exec"), names)  # noqa: S102 - see the docstring
        function: Check = names["check"]
        return function

    def _loads(self) -> Iterable[str]:
        for name, number in self._fields.items():
            if is_system_field(name):
                yield f"r{number} = S(shape, e, {name!r})"
            else:
                yield f"r{number} = d.get({name!r}, A)"
                yield f"if type(r{number}) is not str: r{number} = T(r{number})"
            if name in self._lowered:
                yield f"l{number} = r{number}.lower()"

    # Conditions

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
            return self._field(tree.field, tree.value)
        if isinstance(tree, ConditionValueExpression):
            return self._keyword(tree.value)
        raise NotSupportedError(f"a condition of kind {type(tree).__name__}")

    def _any(self, trees: Sequence[Any], depth: int) -> str | bool:
        """Alternatives; plain strings for one field become one test."""
        together: dict[tuple[str, str], list[str]] = {}
        others: list[str | bool] = []
        for tree in trees:
            found = self._plain_test(tree)
            if found is None:
                others.append(self._condition(tree, depth + 1))
            else:
                together.setdefault(found[:2], []).append(found[2])
        tests: list[str | bool] = [self._grouped(*key, words) for key, words in together.items()]
        return _join(" or ", [*tests, *others], True)

    def _plain_test(self, tree: Any) -> tuple[str, str, str] | None:
        """(variable, kind of test, text) of a condition that compares a field with a string without case."""
        if not isinstance(tree, ConditionFieldEqualsValueExpression) or type(tree.value) is not SigmaString:
            return None
        name = self._name(tree.field)
        if self._known_text(name) is not None or name == "Level":
            return None
        kind, word = simple(tree.value)
        return (self._low(name), kind, word.lower()) if kind in ("==", "startswith", "endswith") else None

    def _grouped(self, variable: str, kind: str, words: list[str]) -> str:
        words = list(dict.fromkeys(words))
        if kind == "==":
            if len(words) == 1:
                return f"{variable} == {words[0]!r}"
            return f"{variable} in {self._constant(frozenset(words))}"
        word = repr(words[0]) if len(words) == 1 else self._constant(tuple(words))
        return f"{variable}.{kind}({word})"

    # Values of a field

    def _field(self, field: str, value: Any) -> str | bool:
        name = self._name(field)
        known = self._known_text(name)
        if known is not None:
            return self._folded(known, name, value)
        if name == "Level" and isinstance(value, SigmaString | SigmaNumber):
            value = SigmaString(level(str(value))) if not _special(value) else value
        return self._test(name, value)

    def _test(self, name: str, value: Any) -> str | bool:
        if isinstance(value, SigmaExpansion):
            return _join(" or ", (self._field(name, each) for each in value.values), True)
        if isinstance(value, SigmaCasedString):
            return self._string(self._raw(name), value, str)
        if isinstance(value, SigmaString):
            return self._string(self._low(name), value, str.lower)
        if isinstance(value, SigmaTimestampPart):
            return f"time_part({self._raw(name)}, {value.timestamp_part.name!r}) == {value.number!r}"
        if isinstance(value, SigmaNumber):
            return f"{self._raw(name)} == {text(value.number)!r}"
        if isinstance(value, SigmaBool):
            words = ("true", "1") if value.boolean else ("false", "0")
            return f"{self._low(name)} in {words!r}"
        if isinstance(value, SigmaNull):
            return f"{self._raw(name)} is A"
        if isinstance(value, SigmaExists):
            return f"{self._raw(name)} is {'not ' if value.exists else ''}A"
        if isinstance(value, SigmaRegularExpression):
            return f"{self._regular(value)}({self._raw(name)})"
        if isinstance(value, SigmaCIDRExpression):
            return f"in_network({self._raw(name)}, {self._constant(value.network)})"
        if isinstance(value, SigmaCompareExpression):
            return self._compare(name, value)
        if isinstance(value, SigmaFieldReference):
            return self._reference(name, value)
        raise NotSupportedError(f"a value of kind {type(value).__name__}")

    def _string(self, variable: str, value: SigmaString, case: Callable[[str], str]) -> str:
        kind, word = simple(value)
        word = case(word)
        if kind == "any":
            return f"{variable} is not A" if case is str else f"{variable} != A"
        if kind == "==":
            return f"{variable} == {word!r}"
        if kind == "in":
            return f"{word!r} in {variable}"
        if kind in ("startswith", "endswith"):
            return f"{variable}.{kind}({word!r})"
        if _ONE in value.s:
            return f"{self._pattern(value, case)}({variable})"
        parts = _segments(value, case)
        return f"glob({variable}, {parts[0]!r}, {tuple(p for p in parts[1:-1] if p)!r}, {parts[-1]!r})"

    def _pattern(self, value: SigmaString, case: Callable[[str], str]) -> str:
        """Wildcards for single characters: by RE2."""
        parts = []
        for part in _checked(value):
            parts.append(".*" if part is _ANY else "." if part is _ONE else re2.escape(case(str(part))))
        return self._constant(searcher(r"(?s)\A" + "".join(parts) + r"\z"))

    def _regular(self, value: SigmaRegularExpression) -> str:
        if any(isinstance(part, Placeholder) for part in value.regexp.s):
            raise NotSupportedError(_placeholder(value.regexp))
        flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
        pattern = str(value.regexp)
        try:
            return self._constant(searcher(f"(?{flags}){pattern}" if flags else pattern))
        except re2.error as error:
            words = error.args[0].decode() if isinstance(error.args[0], bytes) else error
            raise NotSupportedError(f"regular expression {pattern!r}: RE2 says {words}") from None

    def _compare(self, name: str, value: SigmaCompareExpression) -> str:
        bound, operator = value.number, _OPERATORS[value.op.name]
        if isinstance(bound, SigmaTimestampPart):
            call = f"time_part({self._raw(name)}, {bound.timestamp_part.name!r})"
            return (
                f"-1 < {call} {operator} {bound.number!r}"
                if operator != "!="
                else f"{call} != {bound.number!r}"
            )
        found = f"n{self._number(name)}"
        known = f"({found} := number({self._raw(name)})) is not None"
        return f"({known} and {found} {operator} {bound.number!r})"

    def _reference(self, name: str, value: SigmaFieldReference) -> str:
        own, other = self._low(name), self._low(self._name(value.field))
        there = f"{own} != A and {other} != A"
        if value.starts_with and value.ends_with:
            return f"({there} and {other} in {own})"
        if value.starts_with or value.ends_with:
            return f"({there} and {own}.{'startswith' if value.starts_with else 'endswith'}({other}))"
        return f"({there} and {own} == {other})"

    # Keywords

    def _keyword(self, value: Any) -> str | bool:
        raw = "(k if k is not None else (k := K(shape, e, d)))"
        low = f"(kl if kl is not None else (kl := {raw}.lower()))"
        if isinstance(value, SigmaExpansion):
            return _join(" or ", (self._keyword(each) for each in value.values), True)
        if isinstance(value, SigmaRegularExpression):
            return f"{self._regular(value)}({raw})"
        if isinstance(value, SigmaNumber):
            return f"{text(value.number)!r} in {raw}"
        if isinstance(value, SigmaString):
            cased = isinstance(value, SigmaCasedString)
            anywhere = type(value)()
            anywhere.s = [_ANY, *value.s, _ANY]
            return self._string(raw if cased else low, anywhere, str if cased else str.lower)
        raise NotSupportedError(f"a keyword of kind {type(value).__name__}")

    # Names

    def _name(self, field: str) -> str:
        return ALIASES.get(field, self._renamed.get(field, field))

    def _number(self, name: str) -> int:
        return self._fields.setdefault(name, len(self._fields))

    def _raw(self, name: str) -> str:
        return f"r{self._number(name)}"

    def _low(self, name: str) -> str:
        self._lowered.add(name)
        return f"l{self._number(name)}"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    def _known_text(self, name: str) -> str | None:
        if name == "EventID" and self._known.event_id is not None:
            return str(self._known.event_id)
        return self._known.channel if name == "Channel" else None

    def _folded(self, known: str, name: str, value: Any) -> bool:
        """What a test of a field says whose text is known when the function is made."""
        alone = Compiler()
        test = alone._test(name, value)
        if isinstance(test, bool):
            return test
        alone._lines = [f"if {test}: h.append(0)"]
        check = alone.check()
        shape = Shape("known", {name: ("known",)}, lambda event: event)
        return bool(check and check(shape, {"known": known}, {}))


def _join(operator: str, tests: Iterable[str | bool], decisive: bool) -> str | bool:
    """`decisive`: the truth value that settles the whole."""
    found = []
    for test in tests:
        if test is decisive:
            return decisive
        if not isinstance(test, bool):
            found.append(test)
    if not found:
        return not decisive
    return found[0] if len(found) == 1 else f"({operator.join(found)})"


def _special(value: Any) -> bool:
    return isinstance(value, SigmaString) and value.contains_special()


def _checked(value: SigmaString) -> list[Any]:
    if any(isinstance(part, Placeholder) for part in value.s):
        raise NotSupportedError(_placeholder(value))
    return list(value.s)


def _placeholder(value: SigmaString) -> str:
    names = ", ".join(f"%{part.name}%" for part in value.s if isinstance(part, Placeholder))
    return f"placeholder {names} has no values; give them in a pipeline: --pipeline FILE"


def simple(value: SigmaString) -> tuple[str, str]:
    """(test, word): ==, startswith, endswith, in, any; or ("glob", "") for all other patterns."""
    parts = _checked(value)
    while len(parts) > 1 and parts[0] is _ANY and parts[1] is _ANY:
        del parts[0]
    words = [part for part in parts if isinstance(part, str)]
    if _ONE in parts or len(words) > 1:
        return "glob", ""
    word = words[0] if words else ""
    before, after = bool(parts) and parts[0] is _ANY, bool(parts) and parts[-1] is _ANY
    if not before and not after:
        return "==", word
    if not word:
        return "any", ""
    return ("in" if before and after else "endswith" if before else "startswith"), word


def _segments(value: SigmaString, case: Callable[[str], str]) -> list[str]:
    """The texts between the wildcards, empty ones at the ends where the value begins or ends with one."""
    segments = [""]
    for part in value.s:
        if part is _ANY:
            segments.append("")
        else:
            segments[-1] += case(str(part))
    return segments
