"""The figures of a run as JSON: docs/performance.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.measurement import Measurement
from toolkit.atomic_file import write_atomically


@dataclass(frozen=True)
class Record:
    """One measured section: its date, its cases and their figures.

    `python_speed`: see machine.python_speed, measured just before; 0 in records that are older than it.
    """

    name: str
    title: str
    unit: str
    date: str
    yardstick: str = ""
    note: str = ""
    axis: str = ""
    absent: dict[str, str] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    python_speed: float = 0.0


@dataclass(frozen=True)
class StoredFigures:
    """The newest record of every section, in the order in which they were first measured."""

    machine: dict[str, str]
    records: tuple[Record, ...] = ()

    def with_record(self, fresh: Record) -> StoredFigures:
        names = [record.name for record in self.records]
        if fresh.name not in names:
            return StoredFigures(self.machine, (*self.records, fresh))
        return StoredFigures(self.machine, tuple(fresh if r.name == fresh.name else r for r in self.records))

    def save(self, path: Path) -> None:
        write_atomically(path, json.dumps(asdict(self), indent=1) + "\n")


def load_figures(path: Path, machine: dict[str, str]) -> StoredFigures:
    """The figures of earlier runs on this `machine` with these versions, or none.

    Figures of two machines are never mixed.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return StoredFigures(machine)
    records = values["records"] if values["machine"] == machine else ()
    return StoredFigures(machine, tuple(_record(value) for value in records))


def _record(value: dict[str, Any]) -> Record:
    measurements = tuple(Measurement(**row) for row in value.pop("measurements"))
    return Record(**value, measurements=measurements)
