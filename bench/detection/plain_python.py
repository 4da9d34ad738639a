"""The simple solution: every rule is tested on every event, by closures.

Arguments: RULES FILE; prints the hits.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT
from sigma.types import SigmaNumber

Test = Callable[[dict[str, Any]], bool]
_RENAMED = {"Image": "NewProcessName", "ParentImage": "ParentProcessName"}


def main() -> None:
    rules: Any = SigmaCollection.from_yaml(Path(sys.argv[1]).read_text(encoding="utf-8")).rules
    tests = [(_source(rule), _test(rule.detection.parsed_condition[0].parsed)) for rule in rules]
    hits = 0
    with Path(sys.argv[2]).open("rb") as file:
        for line in file:
            event = orjson.loads(line)
            fields = event["data"] | {"EventID": event["event_id"]}
            place = event["source"].lower(), event["event_id"]
            hits += sum(source in (place, place[0]) and test(fields) for source, test in tests)
    print(hits)


def _source(rule: Any) -> Any:
    return ("security", 4688) if rule.logsource.category else rule.logsource.service


def _test(tree: Any) -> Test:
    if isinstance(tree, ConditionNOT):
        inner = _test(tree.args[0])
        return lambda event: not inner(event)
    if isinstance(tree, ConditionFieldEqualsValueExpression):
        return _value(_RENAMED.get(tree.field, tree.field), tree.value)
    parts = [_test(each) for each in tree.args]
    every = all if isinstance(tree, ConditionAND) else any
    return lambda event: every(part(event) for part in parts)


def _value(field: str, value: Any) -> Test:
    if isinstance(value, SigmaNumber):
        return lambda event: event.get(field) == value.number
    pattern = "".join(re.escape(part) if isinstance(part, str) else ".*" for part in value.s)
    match = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda event: match(str(event.get(field, ""))) is not None


if __name__ == "__main__":
    main()
