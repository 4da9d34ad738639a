"""The results of faults as data: one Result for each row and mode, stored in one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit.atomic_file import write_atomically


@dataclass(frozen=True)
class Result:
    """`figures` of a row through the bridge: produced, delivered, lost, duplicated, recovery_seconds, …

    A row that needs only the producer has the mode "producer" and its own figures.
    `proof` shows that the fault happened; `problem` is empty when everything promised was kept.
    """

    row: str
    mode: str
    date: str
    seed: int
    proof: str
    problem: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.problem


@dataclass(frozen=True)
class StoredResults:
    """All results by row and mode, the newest of each, and the machine and versions they were made with."""

    machine: dict[str, str]
    results: tuple[Result, ...] = ()

    def with_results(self, fresh: list[Result]) -> StoredResults:
        replaced = {(result.row, result.mode) for result in fresh}
        kept = [result for result in self.results if (result.row, result.mode) not in replaced]
        return StoredResults(self.machine, (*kept, *fresh))

    def save(self, path: Path) -> None:
        write_atomically(path, json.dumps(asdict(self), indent=1) + "\n")


def load_results(path: Path, machine: dict[str, str]) -> StoredResults:
    """The results of earlier runs, if this `machine` and these versions made them: a file never mixes any."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return StoredResults(machine)
    results = values["results"] if values["machine"] == machine else ()
    return StoredResults(machine, tuple(Result(**value) for value in results))


def judge(
    report: dict[str, Any],
    lossless: bool,
    exactly_once: bool,
    ordered: bool = False,
    bound: int | None = None,
) -> str:
    """The promises of this mode that an audit shows to be broken; empty if there are none.

    `ordered`: a computer's events are in order. `bound`: how many a mode that is not lossless may lose.
    """
    missing = report["lost"] + report["unseen"]
    problems = [f"{report[kind]} {kind}" for kind in ("corrupt", "invented") if report[kind]]
    if missing and lossless:
        problems.append(f"{missing} lost")
    if bound is not None and missing > bound:
        problems.append(f"{missing} lost, more than the printed bound allows: {bound}")
    if report["duplicated"] and exactly_once:
        problems.append(f"{report['duplicated']} duplicated")
    if ordered and report["reordered"]:
        problems.append(f"{report['reordered']} reordered")
    if not report["records"]:
        problems.append("nothing was delivered")
    return ", ".join(problems)
