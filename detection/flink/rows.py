"""The records between the functions of the job: pairs of texts, (key, value). Pure but for PyFlink's types.

An alert that is ready has the key "". An occurrence, which correlations count, has the key of its windows:
the correlation and the group, without regard to case. Correlations that count each other share the key of the
group if they group by the same fields, else one key for all groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson
from pyflink.common import Row, Types

from detection.alerts import Alert
from detection.correlation.correlator import Occurrence, folded_group, group_key
from detection.correlation.definition import Correlation
from detection.detector import definitions
from detection.matching.rule_fields import ABSENT
from detection.matching.rule_set import RuleSet

PAIR = Types.ROW([Types.STRING(), Types.STRING()])

Family = tuple[str, list[Correlation]]
"""Correlations that refer to each other; the name changes with their texts."""


def families(rules: RuleSet) -> list[Family]:
    found: list[list[Correlation]] = []
    for each in definitions(rules)[0]:
        related = [family for family in found if any(other.head.key in each.refers_to for other in family)]
        found = [family for family in found if family not in related]
        found.append([*(other for family in related for other in family), each])
    return [("-".join(each.head.fingerprint for each in family)[:100], family) for family in found]


def listening(known: Iterable[Family]) -> dict[str, list[Family]]:
    """The families that count a rule, by its key."""
    found: dict[str, list[Family]] = {}
    for name, family in known:
        for key in {key for each in family for key in each.refers_to}:
            found.setdefault(key, []).append((name, family))
    return found


def counted(wanted: Iterable[Family], occurrence: Occurrence) -> Iterator[Row]:
    """The occurrence for each group that counts it, with the fields that the correlations read."""
    for name, family in wanted:
        groups = _groups(family, occurrence)
        if groups:
            text = _text(family, occurrence)
            for group in groups:
                yield Row(orjson.dumps([name, *group]).decode(), text)


def occurrence_of(text: str) -> Occurrence:
    seen = orjson.loads(text)
    fields = seen["fields"]
    return Occurrence(seen["key"], seen["time"], seen["id"], lambda name: fields.get(name, ABSENT))


def alert(found: Alert) -> Row:
    return Row("", _value(found))


def record(found: Alert) -> Row:
    """The record of an alert for the topic."""
    return Row(found.key.decode(), _value(found))


def record_of(value: str) -> Row:
    """The record for the topic, from the value that `alert` has made."""
    told = orjson.loads(value)
    return Row(orjson.dumps({"rule_id": told["rule_id"], "group": told["group"]}).decode(), value)


def _value(found: Alert) -> str:
    return orjson.dumps(found.as_json()).decode()


def _groups(family: list[Correlation], occurrence: Occurrence) -> list[tuple[str, ...]]:
    if not _share_groups(family):
        return [()]
    group = group_key(family[0], occurrence)
    return [] if group is None else [folded_group(group)]


def _share_groups(family: list[Correlation]) -> bool:
    """Whether an event is in the same group for all of them. A burst has the fields of its group.

    With one key, each hit reads and writes the state of all groups: half a second with 10,000 of them.
    """
    first, *others = family
    same = all(sorted(other.group_by) == sorted(first.group_by) for other in others)
    return not others or (same and not any(each.aliases for each in family))


def _text(family: list[Correlation], occurrence: Occurrence) -> str:
    names = {
        each.field_for(name, occurrence.key)
        for each in family
        if occurrence.key in each.refers_to
        for name in (*each.group_by, *([each.value_field] if each.value_field else []))
    }
    fields = {name: value for name in sorted(names) if (value := occurrence.read(name)) != ABSENT}
    seen = {"key": occurrence.key, "id": occurrence.identity, "time": occurrence.time, "fields": fields}
    return orjson.dumps(seen).decode()
