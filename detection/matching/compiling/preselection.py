"""Selects the rules to test among many: an index by the texts that a rule needs in one field. Pure.

For each rule, the rarest necessary condition of its tree is used: a field equals one of some texts, ends with
one of some file names, or contains one of some words. A lookup returns the rules whose condition is met; only
those are tested completely. Words are found by an RE2 set, in one pass over the field for any number of
words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import re2
from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionOR
from sigma.types import SigmaCasedString, SigmaExpansion, SigmaString

from detection.matching.compiling.function import Check, Whole, attribute
from detection.matching.compiling.strings import simple
from detection.matching.rule_fields import ABSENT, ALIASES, is_system_field

_SHORTEST = 3  # shortest useful word, in characters
_BACKSLASH = "\\"
_MANY_WORDS = 16  # from so many words on, one pass of an automaton is faster than one `in` per word
_SET_MEMORY = 512 * 2**20  # largest memory of the automaton, which grows with its input


class Need(NamedTuple):
    """A condition that a rule needs in one field.

    `kind`: equals, file (after the last backslash), holds. One of `words`, in lower case, must match.
    """

    field: str
    kind: str
    words: frozenset[str]

    @property
    def rarity(self) -> tuple[int, int, int]:
        """An estimate: the larger, the fewer events meet the need."""
        kinds = {"holds": 0, "file": 1, "equals": 1}
        return kinds[self.kind], min(map(len, self.words)), -len(self.words)


Needs = tuple[Need, ...]
"""Alternatives: one of them must be met."""


def needs_of(tree: Any, name_of: Callable[[str], str]) -> Needs:
    """The conditions that are necessary for the tree; empty if there is none of these kinds."""
    if isinstance(tree, ConditionFieldEqualsValueExpression):
        name = name_of(tree.field)
        return () if is_system_field(ALIASES.get(name, name)) else _of_value(name, tree.value)
    if isinstance(tree, ConditionAND):
        found = [needs for needs in (needs_of(each, name_of) for each in tree.args) if needs]
        return max(found, key=_rarity, default=())
    if isinstance(tree, ConditionOR):
        return _either([needs_of(each, name_of) for each in tree.args])
    return ()


def _rarity(needs: Needs) -> tuple[int, int, int]:
    return min(need.rarity for need in needs)


def _of_value(name: str, value: Any) -> Needs:
    if isinstance(value, SigmaExpansion):
        return _either([_of_value(name, each) for each in value.values])
    if not isinstance(value, SigmaString):
        return ()
    kind, word = simple(value)
    word = word.lower()
    if kind == "==" and word and not isinstance(value, SigmaCasedString):
        return (Need(name, "equals", frozenset({word})),)
    if kind == "endswith" and word.rfind(_BACKSLASH) == 0 and len(word) > 1:
        return (Need(name, "file", frozenset({word[1:]})),)
    if kind == "glob":
        parts = [part.lower() for part in value.s if isinstance(part, str)]
        word = max(parts, key=len, default="")
    long_enough = len(word) >= _SHORTEST and word.isascii()
    return (Need(name, "holds", frozenset({word})),) if long_enough else ()


def _either(alternatives: Sequence[Needs]) -> Needs:
    """One test for all words of a field and kind."""
    if not all(alternatives):
        return ()
    words: dict[tuple[str, str], frozenset[str]] = {}
    for need in (need for needs in alternatives for need in needs):
        key = need.field, need.kind
        words[key] = words.get(key, frozenset()) | need.words
    return tuple(Need(*key, found) for key, found in words.items())


class Preselection:
    """Checks with their needs.

    `candidates` are those with a need that an event meets, and perhaps a few more.
    """

    def __init__(self, checks: Sequence[tuple[Needs, Check]]) -> None:
        by_field: dict[str, dict[str, dict[str, list[Check]]]] = {}
        for need, check in ((need, check) for needs, check in checks for need in needs):
            by_word = by_field.setdefault(need.field, {}).setdefault(need.kind, {})
            for word in need.words:
                by_word.setdefault(word, []).append(check)
        self.reads = set(by_field)
        self._lookups = [(attribute(field), _Lookup(kinds)) for field, kinds in by_field.items()]

    def candidates(self, texts: Any) -> dict[Check, None]:
        """The rules to test. `texts` has a text for each field in `reads`, as for a Check."""
        found: dict[Check, None] = {}
        for name, lookup in self._lookups:
            value = getattr(texts, name)
            if value is not ABSENT and (checks := lookup.met(value.lower())):
                found |= dict.fromkeys(checks)
        return found


class _Lookup:
    """Finds the texts that rules need in one field. Many words are found in one pass."""

    def __init__(self, kinds: dict[str, dict[str, list[Check]]]) -> None:
        self._equal, self._files = kinds.get("equals", {}), kinds.get("file", {})
        words = kinds.get("holds", {})
        self._few = list(words.items()) if len(words) < _MANY_WORDS else []
        self._set, self._checks = _word_set(words), list(words.values())

    def met(self, low: str) -> list[Check]:
        found = list(self._equal.get(low, ()))
        if self._files:
            _, backslash, name = low.rpartition(_BACKSLASH)
            if backslash and name in self._files:
                found += self._files[name]
        if self._few:
            for word, checks in self._few:
                if word in low:
                    found += checks
        elif self._checks:
            for number in self._set.Match(low) or ():
                found += self._checks[number]
        return found


def _word_set(words: Iterable[str]) -> Any:
    options = re2.Options()
    options.max_mem, options.log_errors = _SET_MEMORY, False
    found = re2.Set.SearchSet(options)
    for word in words:
        found.Add(re2.escape(word))
    found.Compile()
    return found


def preselected(always: Check | None, selection: Preselection) -> Check:
    """One function for rules that are always tested, and for those that texts in the event make possible."""

    def check(texts: Any, whole: Whole | None) -> list[int]:
        found = always(texts, whole) if always is not None else []
        for each in selection.candidates(texts):
            found += each(texts, whole)
        return sorted(found)

    return check
