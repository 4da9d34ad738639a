"""The matcher as a function of Flink over Arrow batches: takes lines, returns hits. Runs in Flink's Python
workers.

One call has up to thousands of lines, which are one block for the matcher. Its compiled rules exist as long
as the worker. A hit is one JSON text with the data for alerts and correlations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pandas as pd  # type: ignore[import-untyped]
from pyflink.table import DataTypes
from pyflink.table.udf import ScalarFunction, udf

from detection.alerts import identity
from detection.detector import definitions
from detection.matching.event_fields import ABSENT, event_time
from detection.matching.loading import load
from detection.matching.matcher import Hit, Matcher
from detection.matching.rule_files import RuleFile
from detection.matching.rule_set import Rule, RuleSet
from producer.events.event_time import read_ticks


class Matching(ScalarFunction):
    """The job contains the texts of rule files; each worker compiles them."""

    def __init__(self, files: list[RuleFile], pipelines: list[str]) -> None:
        self._files, self._pipelines = files, pipelines

    def open(self, function_context: Any) -> None:
        rules = load(self._files, self._pipelines)
        self._matcher, self._wanted = Matcher(rules.rules), wanted_fields(rules)

    def eval(self, lines: pd.Series) -> pd.Series:
        found: list[str | None] = [None] * len(lines)
        values = [line.replace("\n", " ").encode() if line else b"" for line in lines]
        for number, hit in self._matcher.numbered_hits(values):
            found[number] = hit_text(hit, self._wanted)
        return pd.Series(found, dtype=object)


def matching(files: list[RuleFile], pipelines: list[str]) -> Any:
    """The function in the form for Flink."""
    return udf(Matching(files, pipelines), result_type=DataTypes.STRING(), func_type="pandas")


def wanted_fields(rules: RuleSet) -> dict[str, tuple[str, ...]]:
    """The fields that correlations read from an event, by the key of the rule."""
    wanted: dict[str, set[str]] = {}
    for each in definitions(rules)[0]:
        names = {*each.group_by, *([each.value_field] if each.value_field else [])}
        for key in each.refers_to:
            wanted.setdefault(key, set()).update(each.field_for(name, key) for name in names)
    return {key: tuple(sorted(names)) for key, names in wanted.items()}


def hit_text(hit: Hit, wanted: dict[str, tuple[str, ...]]) -> str:
    """`{"id", "time", "rules": {key: {field: text}}}`; the time is in ticks, or null."""
    moment = event_time(hit.event)
    rules = {rule.head.key: _fields(hit, rule, wanted.get(rule.head.key, ())) for rule in hit.rules}
    time = read_ticks(moment) if moment else None
    return orjson.dumps({"id": identity(hit), "time": time, "rules": rules}).decode()


def _fields(hit: Hit, rule: Rule, names: Iterable[str]) -> dict[str, str]:
    read = hit.reader(rule)
    return {name: value for name in names if (value := read(name)) != ABSENT}
