"""The loaded rules: for single events, and correlations. Values only; `loading` makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from sigma.conditions import ConditionOR
from sigma.correlations import SigmaCorrelationRule

from detection.matching.event_ids import fields
from detection.matching.log_sources import Source
from detection.matching.rule_files import Refusal, refusal


@dataclass(frozen=True)
class Head:
    """The common part of all rules. `key`: its id, else its name, else its title.

    `alerts`: False for a rule that only serves a correlation. `scenarios`: those of the producer that it
    should find. `examples`: see running.examples.
    """

    key: str
    title: str
    level: str
    tags: tuple[str, ...]
    path: str
    line: int
    text: str = field(repr=False)
    meaning: Sequence[Any] = field(repr=False)
    """Everything that decides what the rule means: its content, filters, the texts of pipelines."""
    alerts: bool = True
    scenarios: tuple[str, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """A value that changes with the meaning of the rule, and is the same in each process."""
        # Not as JSON: a mapping in YAML may have numbers and texts as its keys.
        return hashlib.sha256(repr(self.meaning).encode(errors="replace")).hexdigest()[:16]

    def refuse(self, reason: str) -> Refusal:
        return refusal(self.path, self.line, self.text, reason)


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule for single events. `trees`: its conditions, parsed by pySigma; one true condition is enough."""

    head: Head
    trees: tuple[Any, ...]
    sources: tuple[Source, ...]

    @cached_property
    def tree(self) -> Any:
        return self.trees[0] if len(self.trees) == 1 else ConditionOR(list(self.trees))

    def source_of(self, channel: str, event_id: int) -> Source | None:
        """The source for an event of this channel (lower case) and id.

        None if the rule does not expect it.
        """
        return next((each for each in self.sources if each.may_be(channel, event_id)), None)

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset().union(*map(fields, self.trees))


@dataclass(frozen=True, eq=False)
class CorrelationRule:
    """A correlation, parsed by pySigma, with the keys of the rules that it refers to, in its order."""

    head: Head
    sigma: SigmaCorrelationRule
    refers_to: tuple[str, ...]
    names: tuple[str, ...]
    """The names of these rules in the correlation; aliases of fields use them, too."""


AnyRule = TypeVar("AnyRule", Rule, CorrelationRule)


@dataclass(frozen=True)
class RuleSet:
    """Correlations come after the rules that they refer to."""

    rules: tuple[Rule, ...] = ()
    correlations: tuple[CorrelationRule, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @cached_property
    def heads(self) -> dict[str, Head]:
        heads = (*(each.head for each in self.rules), *(each.head for each in self.correlations))
        return {head.key: head for head in heads}

    def silenced(self) -> RuleSet:
        """The same rules, of which those that only serve these correlations do not alert.

        Sigma: informational rules should not alert, so `generate` does not concern them.
        """
        generated = {key for each in self.correlations if each.sigma.generate for key in each.refers_to}
        parts = {key for each in self.correlations for key in each.refers_to} - generated
        low = {key for key in generated if self.heads[key].level == "informational"}
        rules, correlations = self.rules, self.correlations
        return replace(
            self,
            rules=tuple(_alerting(each, each.head.key not in parts | low) for each in rules),
            correlations=tuple(_alerting(each, each.head.key not in parts | low) for each in correlations),
        )


def _alerting(rule: AnyRule, alerts: bool) -> AnyRule:
    return replace(rule, head=replace(rule.head, alerts=alerts)) if rule.head.alerts != alerts else rule
