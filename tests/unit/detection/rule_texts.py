"""Rules and events for tests, as texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from detection.alerts import Alert
from detection.detector import Detector, counted
from detection.matching.loading import load
from detection.matching.rule_files import RuleFile
from detection.matching.rule_set import RuleSet
from producer.events.event_time import TICKS, read_ticks, to_text

# A filter of the rule that is called `failed`.
FILTER = """title: Known scanners
logsource: {product: windows, service: security}
filter:
  rules: [failed]
  scanner: {IpAddress: 10.0.0.9}
  condition: not scanner
"""

NOON = read_ticks("2026-01-05T12:00:00Z") or 0


def rule_set(*texts: str, pipelines: tuple[str, ...] = ()) -> RuleSet:
    """The rules of these texts; AssertionError if one is refused."""
    files = [RuleFile(f"rules/{number}.yml", text) for number, text in enumerate(texts)]
    rules = counted(load(files, pipelines))
    assert rules.refusals == (), [str(each) for each in rules.refusals]
    return rules


def rule(
    name: str, selection: str, condition: str = "selection", service: str = "security", more: str = ""
) -> str:
    """`selection` in YAML's flow style; `more`: further detections, a line each."""
    indented = "".join(f"  {line}\n" for line in more.splitlines())
    return (
        f"title: {name}\nname: {name}\nlogsource: {{product: windows, service: {service}}}\nlevel: low\n"
        f"detection:\n  selection: {selection}\n{indented}  condition: {condition}\n"
    )


def correlation(
    kind: str, rules: str, condition: str = "", span: str = "60s", group: str = "", more: str = ""
) -> str:
    lines = [f"title: {kind}", f"name: the_{kind}", "level: high", "correlation:", f"  type: {kind}"]
    lines += [f"  rules: [{rules}]", f"  timespan: {span}"]
    lines += [f"  group-by: [{group}]"] if group else []
    lines += [f"  condition: {condition}"] if condition else []
    return "\n".join([*lines, *(f"  {line}" for line in more.splitlines())]) + "\n"


def event(
    seconds: float, event_id: int = 4625, computer: str = "WS-1", record_id: int = 0, **data: Any
) -> bytes:
    """A line of the flat shape; with `record_id` 0, the time decides the record id."""
    time = NOON + int(seconds * TICKS)
    line = {
        "timestamp": to_text(time), "level": "Information", "source": "Security", "event_id": event_id,
        "event_type": "", "record_id": record_id or time, "computer": computer, "data": data, "message": "",
    }  # fmt: skip
    return orjson.dumps(line) + b"\n"


def detected(rules: RuleSet, *lines: bytes, lateness: float = 60.0) -> list[Alert]:
    """The last record of every alert, in the order of their first records."""
    detector = Detector(rules, lateness)
    return last_words(each for line in (*lines, None) for each in _step(detector, line))


def last_words(alerts: Iterator[Alert]) -> list[Alert]:
    found: dict[str, Alert] = {}
    for each in alerts:
        assert each.new == (each.id not in found), "an alert is new once"
        found[each.id] = each
    return [each for each in found.values() if each.merged_into is None]


def _step(detector: Detector, line: bytes | None) -> Iterator[Alert]:
    yield from detector.finish() if line is None else detector.feed(line)


def told(alerts: list[Alert], title: str) -> list[tuple[float, float, int]]:
    """(first, last, count) of the alerts of one rule, in seconds since noon."""
    return [
        ((read_ticks(each.first) - NOON) / TICKS, (read_ticks(each.last) - NOON) / TICKS, each.count)  # type: ignore[operator]
        for each in alerts
        if each.head.title == title
    ]
