"""Runs the cases of a section side by side, each once a round, so that noise hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.measurement import Measurement, Sample, summarise


@dataclass(frozen=True)
class Case:
    """`run` does the work once. `x`: where it stands on the section's axis."""

    name: str
    run: Callable[[], Sample]
    x: float | None = None


@dataclass(frozen=True)
class Section:
    """Cases that are compared with each other; ratios refer to the case named `yardstick`.

    A case that cannot run here says so in `absent` (name -> why, and what to install).
    """

    name: str
    title: str
    unit: str
    cases: Sequence[Case]
    yardstick: str = ""
    note: str = ""
    axis: str = ""
    absent: dict[str, str] = field(default_factory=dict)


Told = Callable[[str], None]
_LONGEST = 300


def _end_of(words: str) -> str:
    """A program that fails says why at the end."""
    return words if len(words) <= _LONGEST else f"…{words[-_LONGEST:]}"


def measure(section: Section, rounds: int, told: Told) -> tuple[list[Measurement], dict[str, str]]:
    """Every case `rounds` times, interleaved; and the cases that failed, with their words."""
    samples: dict[str, list[Sample]] = {case.name: [] for case in section.cases}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for case in section.cases:
            if case.name in failed:
                continue
            told(f"{section.title}: {case.name}, round {number + 1} of {rounds}")
            try:
                samples[case.name].append(case.run())
            except (AssertionError, OSError, RuntimeError) as error:
                failed[case.name] = f"failed: {_end_of(str(error))}"
                told(f"{case.name} {failed[case.name]}")
    base = samples.get(section.yardstick, [])
    found = [
        summarise(section.name, case.name, section.unit, samples[case.name], base, case.x)
        for case in section.cases
        if case.name not in failed
    ]
    return found, failed
