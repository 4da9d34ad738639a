"""Runs the cases of a section side by side, each once per round, so that noise affects all alike."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.measurement import Measurement, Sample, summarise


@dataclass(frozen=True)
class Case:
    """One variant of a section. `run` does the work once. `x`: its place on the section's axis.

    `against`: the case that its ratio refers to, if that is not the section's yardstick.
    """

    name: str
    run: Callable[[], Sample]
    x: float | None = None
    against: str = ""


@dataclass(frozen=True)
class Section:
    """Cases that are compared with each other; ratios refer to the case named `yardstick`.

    `absent`: cases that cannot run here (name -> why, and what to install).
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


def _reason(words: str) -> str:
    """The reason in a program's output: a short text unchanged, else its line with the error, or its end."""
    if len(words) <= _LONGEST:
        return words
    told = [
        line.strip() for line in words.splitlines() if line.lstrip().startswith(("error: ", "Caused by: "))
    ]
    return told[-1][:_LONGEST] if told else f"…{words[-_LONGEST:]}"


def measure(section: Section, rounds: int, told: Told) -> tuple[list[Measurement], dict[str, str]]:
    """Run every case `rounds` times, in turns.

    Returns the figures, and the failed cases with their errors.
    """
    samples: dict[str, list[Sample]] = {case.name: [] for case in section.cases}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for case in section.cases:
            if case.name in failed:
                continue
            told(f"{section.title}: {case.name}, round {number + 1} of {rounds}")
            try:
                samples[case.name].append(case.run())
            except Exception as error:  # one case does not end the others
                told(traceback.format_exc())
                failed[case.name] = f"failed: {_reason(str(error) or repr(error))}"
    found = []
    for case in section.cases:
        if case.name not in failed:
            base = samples.get(case.against or section.yardstick, [])
            found.append(summarise(section.name, case.name, section.unit, samples[case.name], base, case.x))
    return found, failed
