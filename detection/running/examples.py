"""The examples in rule files: small events that must match, and others that must not. Pure.

Under `examples`, `match` and `no_match` are lists of cases, and a case is a list of events in the flat shape,
with only the fields that the rule needs. `after`: seconds after the previous event. `times` and `every`: the
number of repetitions and the seconds between them; {n} in a value is the number of the repetition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from detection.detector import Detector
from detection.matching.rule_set import Head, RuleSet
from producer.events.event_time import TICKS, read_ticks, to_text

_START = "2026-01-05T12:00:00Z"
_OWN = ("after", "times", "every")
_KNOWN = {
    *_OWN, "timestamp", "level", "source", "event_id", "event_type", "record_id", "computer", "provider",
    "task", "keywords", "process_id", "thread_id", "data", "message", "labels",
}  # fmt: skip
_LISTS = {"match": True, "no_match": False}
_MOST = 100_000  # events of one case


class Example(NamedTuple):
    """One case of one rule, and its result; `problem` if the case itself is wrong."""

    head: Head
    number: int
    must_match: bool
    matched: bool
    problem: str = ""

    @property
    def passed(self) -> bool:
        return not self.problem and self.matched == self.must_match


def run_examples(rules: RuleSet) -> Iterator[Example]:
    """Every case of every rule, each alone with all rules loaded."""
    for head in rules.heads.values():
        if problem := _problem(head.examples):
            yield Example(head, 0, True, False, problem)
            continue
        for name, must_match in _LISTS.items():
            for number, case in enumerate(head.examples.get(name) or [], 1):
                try:
                    block = _lines(case)
                except (TypeError, ValueError, KeyError, OverflowError) as error:
                    yield Example(head, number, must_match, False, f"not a list of events: {error}")
                    continue
                yield Example(head, number, must_match, *_matches(rules, head, block))


def _problem(examples: Any) -> str:
    """Why the examples cannot be used; an example under a misspelt name would never be tested."""
    if not isinstance(examples, dict):
        return "expected match and no_match"
    if unknown := [str(name) for name in examples if name not in _LISTS]:
        return f"expected match and no_match, not {', '.join(unknown)}"
    wrong = [name for name in examples if not isinstance(examples[name] or [], list)]
    return f"{', '.join(wrong)}: expected a list of cases" if wrong else ""


def _matches(rules: RuleSet, head: Head, block: bytes) -> tuple[bool, str]:
    """Whether the rule matches, alone or as a part of a correlation; and what is wrong with the events."""
    detector = Detector(rules)
    found = [*detector.feed(block), *detector.finish()]
    matched = head.key in detector.fired or any(alert.head.key == head.key for alert in found)
    rejected = detector.counts.rejected
    return matched, f"{rejected} of its events are no events: is event_id there?" if rejected else ""


def _lines(case: Any) -> bytes:
    if not isinstance(case, list):
        raise TypeError(f"a case is a list of events, not {type(case).__name__}")
    if not case:
        raise ValueError("it is empty")
    lines, record, time = [], 0, read_ticks(_START) or 0
    for each in case:
        if not isinstance(each, dict):
            raise TypeError(f"an event is a mapping, not {each!r}")
        unknown = sorted(set(map(str, each)) - _KNOWN) if "event_id" in each else []
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no field of an event (EventData is under data)")
        time += int(float(each.get("after", 0)) * TICKS)
        times, every = int(each.get("times", 1)), float(each.get("every", 1))
        if not 1 <= times <= _MOST:
            raise ValueError(f"times: {times} is not from 1 to {_MOST:,}")
        for number in range(times):
            record += 1
            event = {name: value for name, value in each.items() if name not in _OWN}
            moment = to_text(time + int(number * every * TICKS))
            base: dict[str, Any] = {"timestamp": moment, "source": "Security", "computer": "WS-1"}
            if "event_id" in event:  # a record id would make every event one of the flat shape
                base["record_id"] = record
            lines.append(orjson.dumps(_numbered({**base, **event}, number), default=str))
        time += int((times - 1) * every * TICKS)
    return b"\n".join(lines) + b"\n"


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, dict):
        return {name: _numbered(each, number) for name, each in value.items()}
    return value.replace("{n}", str(number)) if isinstance(value, str) else value
