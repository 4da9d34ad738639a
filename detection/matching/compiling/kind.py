"""All rules for one kind of event, as one function, and two ways to call it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from detection.matching.compiling.conditions import Compiler, Known
from detection.matching.compiling.function import Check, Whole, attribute
from detection.matching.compiling.preselection import Needs, Preselection, needs_of, preselected
from detection.matching.log_sources import Source
from detection.matching.rule_fields import ABSENT, is_system_field, text
from detection.matching.rule_set import Rule

_MANY = 32  # from this number of rules for one kind of event on, an index is faster

Wanted = tuple[int, Rule, Source]
"""The number of a rule, the rule, and the log source of its events."""


class Kind:
    """The rules of one channel and event id, and the fields of the EventData that they read."""

    def __init__(self, check: Check, fields: Sequence[str], needs_whole: bool) -> None:
        self._check, self._fields = check, fields
        attributes = [(attribute(name), str, ABSENT) for name in fields]
        self._texts = msgspec.defstruct("Texts", attributes, gc=False)
        self._decode = None if needs_whole else _decoder(attributes, fields)

    def may_match(self, data: msgspec.Raw) -> bool:
        """Whether `numbers` must be called for an event with this EventData (JSON).

        Only the fields that rules read become texts; the others are skipped.
        """
        if self._decode is None:
            return True
        try:
            return bool(self._check(self._decode(data), None))
        except msgspec.DecodeError:
            self._decode = None  # values that are not texts; the next ones will not be, either
            return True

    def numbers(self, whole: Whole) -> list[int]:
        """The rules that the event matches, in their order."""
        return self._check(self._texts(*[text(whole.data.get(name)) for name in self._fields]), whole)


def compiled(known: Known, wanted: Sequence[Wanted]) -> Kind | None:
    """The rules for this kind of event as one function; None if no rule can match.

    If there are many rules, most of them are only tested if a text in the event makes them possible.
    """
    always = Compiler(known)
    functions = [always.function]
    needs: list[tuple[Needs, Check]] = []
    for number, rule, source in wanted:
        found = needs_of(rule.tree, _names(source)) if len(wanted) >= _MANY else ()
        alone = Compiler(known) if found else always
        alone.add(number, rule.tree, source.renamed)
        if found and (check := alone.function.made()) is not None:
            needs.append((found, check))
            functions.append(alone.function)
    selection = Preselection(needs)
    check = preselected(always.function.made(), selection) if needs else always.function.made()
    if check is None:
        return None
    reads = selection.reads.union(*(each.reads for each in functions))
    fields = sorted(name for name in reads if not is_system_field(name))
    return Kind(check, fields, any(each.needs_whole for each in functions))


def _names(source: Source) -> Callable[[str], str]:
    return lambda field: source.renamed.get(field, field)


def _decoder(attributes: Sequence[tuple[str, type[str], str]], fields: Sequence[str]) -> Any:
    """Converts EventData (JSON) to texts; None if a name needs escapes in JSON."""
    names = {name: field for (name, _, _), field in zip(attributes, fields, strict=True)}
    try:
        kind = msgspec.defstruct("Texts", attributes, rename=names, gc=False)
    except ValueError:
        return None
    return msgspec.json.Decoder(kind).decode
