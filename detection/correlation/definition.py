"""A correlation, ready to count: pySigma's value checked and turned into plain fields. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaCorrelationCondition,
)

from detection.matching.rule_set import CorrelationRule, Head
from producer.events.event_time import TICKS

COUNTS = ("event_count", "value_count")
NUMBERS = ("value_sum", "value_avg", "value_percentile", "value_median")
TEMPORAL = ("temporal", "temporal_ordered")
_RISING = ("gte", "gt")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}


class CorrelationError(ValueError):
    """A correlation that cannot be used; the text says why."""


@dataclass(frozen=True, eq=False)
class Correlation:
    """`refers_to`: keys of rules and correlations. `span` in ticks. `aliases`: alias -> key -> field.

    `presence`: for temporal, whether these places in refers_to are enough when each has an event.
    """

    head: Head
    kind: str
    refers_to: tuple[str, ...]
    group_by: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]
    span: int
    operator: str
    threshold: float
    value_field: str | None = None
    percentile: int = 50
    presence: Callable[[set[int]], bool] = field(default=lambda _: True)
    absence: bool = False

    @property
    def on_arrival(self) -> bool:
        """Whether further events can only make the condition true: then it alerts as soon as it is met.

        Other conditions wait until event time has passed the window by the allowed lateness.
        """
        counts = self.kind in COUNTS and self.operator in _RISING
        return counts or (self.kind in TEMPORAL and not self.absence)

    @property
    def in_fixed_windows(self) -> bool:
        """Whether windows do not overlap (lt, lte, eq, neq).

        Each begins with the first event after the one before.
        """
        return self.kind not in TEMPORAL and self.operator not in _RISING

    @property
    def forgets(self) -> bool:
        """Whether a window needs fewer events than those of its timespan: see Window.evict."""
        return self.on_arrival and self.kind in ("event_count", "temporal_ordered")

    def meets(self, value: float) -> bool:
        return _COMPARE[self.operator](value, self.threshold)

    def field_for(self, name: str, key: str) -> str:
        """The field of an event of rule `key` for a name in group-by or in the condition."""
        return self.aliases.get(name, {}).get(key, name)


def define(rule: CorrelationRule) -> Correlation:
    """Raises CorrelationError."""
    sigma = rule.sigma
    kind = sigma.type.name.lower()
    condition = sigma.condition
    twice = next((at for at, key in enumerate(rule.refers_to) if key in rule.refers_to[:at]), None)
    if twice is not None:
        raise CorrelationError(
            f"'rules:' has {rule.names[twice]} twice, so its events would count twice: list it once (for "
            "several events of one rule, use event_count)"
        )
    common: dict[str, Any] = {
        "head": rule.head,
        "kind": kind,
        "refers_to": rule.refers_to,
        "group_by": tuple(sigma.group_by or ()),
        "aliases": {alias: dict(by_key) for alias, by_key in _aliases(rule)},
        "span": sigma.timespan.seconds * TICKS,
    }
    if not isinstance(condition, SigmaCorrelationCondition):
        return _extended(rule, common)
    operator, threshold = condition.op.name.lower(), condition.count
    if kind in TEMPORAL:
        return _temporal(common, operator, threshold)
    value_field = condition.fieldref
    if isinstance(value_field, list):
        raise CorrelationError("'field:' with several fields is not supported: name one")
    percentile = 50 if condition.percentile is None else condition.percentile
    if kind == "value_percentile" and not 0 <= percentile <= 100:
        raise CorrelationError(f"'percentile: {percentile}' is not between 0 and 100")
    if kind not in COUNTS + NUMBERS:
        raise CorrelationError(f"correlation type '{kind}' is not supported")
    if kind in COUNTS and operator in _RISING and threshold < (1 if operator == "gte" else 0):
        raise CorrelationError(f"'{operator}: {threshold}' is met by nothing at all: give a number above it")
    if kind in COUNTS and operator not in _RISING:
        _check_fixed(operator, threshold)
    common |= {"value_field": value_field, "percentile": percentile}
    return Correlation(**common, operator=operator, threshold=threshold)


def _check_fixed(operator: str, threshold: float) -> None:
    """A window that does not overlap others begins with an event, so it counts at least one."""
    if operator == "neq" and threshold < 1:
        raise CorrelationError(f"'{operator}: {threshold}' is always met: give a number above it")
    if threshold < 1 or (operator == "lt" and threshold <= 1):
        raise CorrelationError(f"'{operator}: {threshold}' is never met: a window has at least one event")


def _temporal(common: dict[str, Any], operator: str, threshold: float) -> Correlation:
    kind, count = common["kind"], len(common["refers_to"])
    if kind == "temporal_ordered" and not (operator == "gte" and threshold == count):
        raise CorrelationError(
            f"'temporal_ordered' needs all of its {count} rules: leave the condition out, or set gte: {count}"
        )
    least = threshold if operator == "gte" else threshold + 1
    if operator in _RISING and not 1 <= least <= count:
        how = "met by nothing at all" if least < 1 else f"never met: it lists only {count}"
        raise CorrelationError(f"'{operator}: {threshold}' is {how}")
    if operator not in _RISING:
        raise CorrelationError(
            f"temporal with '{operator}:' is not supported: use gte, or a condition with a negated rule"
        )
    compare = _COMPARE[operator]
    return Correlation(
        **common,
        operator=operator,
        threshold=threshold,
        presence=lambda places: compare(len(places), threshold),
    )


def _extended(rule: CorrelationRule, common: dict[str, Any]) -> Correlation:
    """A condition in words: `a and (b or not c)`."""
    if common["kind"] == "temporal_ordered":
        raise CorrelationError(
            "'temporal_ordered' with a condition in words is not supported: list the rules"
        )
    places = {name: place for place, name in enumerate(rule.names)}
    condition: Any = rule.sigma.condition
    tree = condition.parsed
    if _presence(tree, places)(set()):
        raise CorrelationError("this 'condition:' is met without any event: at least one rule must be there")
    presence = _presence(tree, places)
    return Correlation(**common, operator="gte", threshold=1, presence=presence, absence=_has_not(tree))


def _presence(tree: Any, places: Mapping[str, int]) -> Callable[[set[int]], bool]:
    if isinstance(tree, CorrelationConditionAND | CorrelationConditionOR):
        parts = [_presence(each, places) for each in tree.args]
        every = isinstance(tree, CorrelationConditionAND)
        return lambda there: (all if every else any)(part(there) for part in parts)
    if isinstance(tree, CorrelationConditionNOT):
        inner = _presence(tree.args[0], places)
        return lambda there: not inner(there)
    place = places[tree.reference]
    return lambda there: place in there


def _has_not(tree: Any) -> bool:
    return isinstance(tree, CorrelationConditionNOT) or any(map(_has_not, getattr(tree, "args", ())))


def _aliases(rule: CorrelationRule) -> list[tuple[str, list[tuple[str, str]]]]:
    keys = dict(zip(rule.names, rule.refers_to, strict=True))
    found = []
    for alias in rule.sigma.aliases:
        by_key = []
        for reference, name in alias.mapping.items():
            if reference.reference not in keys:
                raise CorrelationError(
                    f"alias '{alias.alias}' is for rule '{reference.reference}', which is not in its list"
                )
            by_key.append((keys[reference.reference], str(name)))
        found.append((alias.alias, by_key))
    return found
