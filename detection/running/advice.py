"""Remarks about a loaded rule: whether events of win-event-producer can match it."""

from __future__ import annotations

from detection.matching.event_fields import ALIASES, is_system_field
from detection.matching.rule_set import Rule, RuleSet
from producer.events.catalogue.event_catalogue import load_catalogue


def notes(rules: RuleSet) -> dict[str, str]:
    """The remarks, by the key of the rule."""
    known: dict[tuple[str, int], set[str]] = {}
    for each in load_catalogue().event_types.values():
        known.setdefault((each.channel.lower(), each.event_id), set()).update(each.data)
    found = {rule.head.key: _note(rule, known) for rule in rules.rules}
    for correlation in rules.correlations:
        dead = [key for key in correlation.refers_to if found.get(key, "").startswith("never")]
        found[correlation.head.key] = "never: a rule that it needs never matches" if dead else ""
    for head in rules.heads.values():
        if not head.alerts and not found[head.key]:
            found[head.key] = "for a correlation only"
    return found


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
