"""The rules that take part: for single events, and for correlations. Values only; `loading` makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sigma.conditions import ConditionOR
from sigma.correlations import SigmaCorrelationRule

from detection.matching.event_ids import fields
from detection.matching.log_sources import Source
from detection.matching.rule_files import Refusal

LEVELS = ("informational", "low", "medium", "high", "critical")


@dataclass(frozen=True)
class Head:
    """What every rule tells about itself. `key`: its id, else its name, else its title.

    `alerts`: False for a rule that only serves a correlation. `scenarios`: those of the
    producer that it is for. `examples`: as running.examples tells.
    """

    key: str
    title: str
    level: str
    tags: tuple[str, ...]
    path: str
    line: int
    text: str = field(repr=False)
    alerts: bool = True
    scenarios: tuple[str, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the text of the rule."""
        return hashlib.sha256(self.text.encode(errors="replace")).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule for single events. `trees`: its conditions as pySigma parses them; any of them is enough."""

    head: Head
    trees: tuple[Any, ...]
    sources: tuple[Source, ...]

    @cached_property
    def tree(self) -> Any:
        return self.trees[0] if len(self.trees) == 1 else ConditionOR(list(self.trees))

    def source_of(self, channel: str, event_id: int) -> Source | None:
        """Where the rule expects an event of this channel (lower case) and id; None: nowhere."""
        return next((each for each in self.sources if each.may_be(channel, event_id)), None)

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset().union(*map(fields, self.trees))


@dataclass(frozen=True, eq=False)
class CorrelationRule:
    """A correlation as pySigma reads it, with the keys of what it refers to, in its order."""

    head: Head
    sigma: SigmaCorrelationRule
    refers_to: tuple[str, ...]
    names: tuple[str, ...]
    """What it calls them: the aliases of fields name rules so, too."""


@dataclass(frozen=True)
class RuleSet:
    """Correlations stand behind what they refer to."""

    rules: tuple[Rule, ...] = ()
    correlations: tuple[CorrelationRule, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @cached_property
    def heads(self) -> dict[str, Head]:
        heads = (*(each.head for each in self.rules), *(each.head for each in self.correlations))
        return {head.key: head for head in heads}
