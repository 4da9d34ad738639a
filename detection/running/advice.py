"""Remarks about a loaded rule: whether events of win-event-producer can match it."""

from __future__ import annotations

from detection.correlation.definition import TEMPORAL, CorrelationError, define
from detection.matching.rule_fields import ALIASES, is_system_field
from detection.matching.rule_set import CorrelationRule, Rule, RuleSet
from producer.events.catalogue.event_catalogue import load_catalogue

_NEVER = "never: a rule that it needs never matches"


def notes(rules: RuleSet) -> dict[str, str]:
    """The remarks, by the key of the rule."""
    known: dict[tuple[str, int], set[str]] = {}
    for each in load_catalogue().event_types.values():
        known.setdefault((each.channel.lower(), each.event_id), set()).update(each.data)
    found = {rule.head.key: _note(rule, known) for rule in rules.rules}
    for correlation in rules.correlations:
        dead = {key for key in correlation.refers_to if found.get(key, "").startswith("never")}
        found[correlation.head.key] = "" if _may_be_met(correlation, dead) else _NEVER
    for head in rules.heads.values():
        if not head.alerts and not found[head.key]:
            found[head.key] = "for a correlation only"
    return found


def _may_be_met(rule: CorrelationRule, dead: set[str]) -> bool:
    """Whether a correlation can alert although the rules of the keys `dead` never match."""
    try:
        correlation = define(rule)
    except CorrelationError:
        return True  # it is refused, which is said elsewhere
    living = {place for place, key in enumerate(correlation.refers_to) if key not in dead}
    if correlation.kind not in TEMPORAL:
        return bool(living)
    return correlation.absence or correlation.presence(living)


def _note(rule: Rule, known: dict[tuple[str, int], set[str]]) -> str:
    """A remark if the producer writes no such event, or if none of its events has some fields of the rule."""
    data: set[str] = set()
    seen = False
    for source in rule.sources:
        for (channel, event_id), fields in known.items():
            if source.may_be(channel, event_id):
                seen = True
                data |= fields | {ours for ours, theirs in source.renamed.items() if theirs in fields}
    if not seen:
        return "never: the producer writes no such event"
    missing = sorted(
        name for name in rule.fields if not is_system_field(ALIASES.get(name, name)) and name not in data
    )
    return f"no event of the producer has {', '.join(missing)}" if missing else ""
