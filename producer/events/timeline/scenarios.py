"""When scenarios start: `NAME`, `NAME@SECONDS` or `NAME@N/h`, in event time. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPEC = re.compile(r"(?P<name>[\w-]+)(?:@(?P<number>\d+(?:\.\d+)?)(?P<rate>/h)?)?")
_DEFAULT_SECONDS = 10.0


class ScenarioError(ValueError):
    """A --scenario that cannot be understood."""


@dataclass(frozen=True)
class ScenarioPlan:
    """Once at `at` seconds of event time, or `per_hour` times an hour on average."""

    name: str
    at: float | None
    per_hour: float | None

    def starts(self, rng: random.Random) -> Iterator[float]:
        """Seconds of event time, increasing; without end for a rate."""
        if self.per_hour is None:
            yield self.at or 0.0
            return
        now = 0.0
        while True:
            now += rng.expovariate(self.per_hour / 3600.0)
            yield now


def parse_scenario(text: str, known: list[str]) -> ScenarioPlan:
    """The plan that the text describes. Raises ScenarioError."""
    match = _SPEC.fullmatch(text)
    if not match:
        raise ScenarioError(f"{text!r} is not NAME, NAME@SECONDS or NAME@N/h")
    if match["name"] not in known:
        raise ScenarioError(f"no scenario {match['name']!r}; known: {', '.join(sorted(known))}")
    number = float(match["number"]) if match["number"] else _DEFAULT_SECONDS
    if match["rate"]:
        if number <= 0:
            raise ScenarioError(f"{text!r}: a rate must be above 0")
        return ScenarioPlan(match["name"], None, number)
    return ScenarioPlan(match["name"], number, None)
