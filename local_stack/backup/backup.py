"""The folder of a backup: partition-N.ndjson for each partition, and topic.json, which describes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import orjson

from local_stack.backup.format import FormatError, Record, as_line, read_line

_VERSION = 1
_MANIFEST = "topic.json"


class BackupError(RuntimeError):
    """The folder is not a complete backup, or cannot be written; the text says why and what to do."""


@dataclass(frozen=True)
class Partition:
    """An exported partition: the number of its records, their offsets, and the SHA-256 of the file."""

    records: int
    start: int
    end: int
    sha256: str


@dataclass(frozen=True)
class Backup:
    """An export. `config`: the settings of the topic that differed from the broker's defaults."""

    topic: str
    partitions: dict[int, Partition]
    config: dict[str, str]

    @property
    def records(self) -> int:
        return sum(each.records for each in self.partitions.values())


class Writer:
    """Writes everything to a folder beside `folder`, and renames it when all is on disk."""

    def __init__(self, folder: Path) -> None:
        """Create the folder for the draft. Raises BackupError."""
        if folder.exists():
            raise BackupError(f"{folder} already exists: give another folder, or remove it")
        self._folder = folder
        self._partial = folder.with_name(f"{folder.name}.partial")
        self._files: dict[int, IO[bytes]] = {}
        self._digests: dict[int, hashlib._Hash] = {}
        self._counts: dict[int, int] = {}
        self._partial.mkdir(parents=True, exist_ok=True)
        self._empty()  # of what an export left that was killed

    def open(self, partition: int) -> None:
        self._files[partition] = (self._partial / _name(partition)).open("wb")
        self._digests[partition], self._counts[partition] = hashlib.sha256(), 0

    def add(self, partition: int, record: Record) -> None:
        line = as_line(record)
        self._files[partition].write(line)
        self._digests[partition].update(line)
        self._counts[partition] += 1

    def finish(self, topic: str, bounds: dict[int, tuple[int, int]], config: dict[str, str]) -> Backup:
        """Complete the backup. `bounds`: start and end offset of each partition."""
        for file in self._files.values():
            file.close()
        partitions = {
            number: Partition(self._counts[number], start, end, self._digests[number].hexdigest())
            for number, (start, end) in bounds.items()
        }
        backup = Backup(topic, partitions, config)
        told = {"version": _VERSION, **asdict(backup)}
        options = orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2
        (self._partial / _MANIFEST).write_bytes(orjson.dumps(told, option=options) + b"\n")
        self._partial.rename(self._folder)
        return backup

    def close(self) -> None:
        """Remove the draft, if `finish` was not called."""
        for file in self._files.values():
            file.close()
        if self._partial.is_dir():
            self._empty()
            self._partial.rmdir()

    def _empty(self) -> None:
        for file in self._partial.iterdir():
            file.unlink()


def read_backup(folder: Path) -> Backup:
    """The description of a complete backup. Raises BackupError."""
    try:
        told = orjson.loads((folder / _MANIFEST).read_bytes())
        if told["version"] != _VERSION:
            raise BackupError(f"{folder} is of version {told['version']}; this program reads {_VERSION}")
        partitions = {int(number): Partition(**each) for number, each in told["partitions"].items()}
        backup = Backup(told["topic"], partitions, told["config"])
        broken = [n for n, each in partitions.items() if _sha256(folder / _name(n)) != each.sha256]
    except OSError as error:
        raise BackupError(f"{folder} is not a backup: {error.filename}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{folder / _MANIFEST} cannot be read: {error}") from error
    if broken:
        raise BackupError(f"{folder / _name(broken[0])} is not what was exported: its SHA-256 differs")
    return backup


def read_records(folder: Path, partition: int) -> Iterator[Record]:
    """The records of a partition. Raises BackupError."""
    path = folder / _name(partition)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield read_line(line)
            except FormatError as error:
                raise BackupError(f"{path} line {number}: {error}") from error


def _name(partition: int) -> str:
    return f"partition-{partition}.ndjson"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
