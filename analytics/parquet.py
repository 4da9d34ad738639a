"""Converts parts of the archive to Parquet files. It uses only PyArrow, neither Flink nor Kafka.

For each folder of the archive (a day, an hour, a channel) one run writes at most one file, from all complete
parts that are in no file yet. The footer of a file lists its parts, so an interrupted run can simply be
repeated.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from producer.event_fields import TIMESTAMP_FIELDS
from producer.events.event_time import read_ticks
from producer.events.line_rule import first_of, read_line

_PARTS = b"win-event-parts"
_COLUMNS = pa.schema(
    [("event_time", pa.timestamp("us", tz="UTC")), ("computer", pa.string()), ("line", pa.string())]
)
_TICKS_PER_MICROSECOND = 10
_BATCH_BYTES = 8 * 2**20
KEPT = 600.0
"""Seconds for which a part stays: a job that goes on from a checkpoint looks for its last parts, and in S3 it
cannot start without them."""
_INCOMING = "_incoming-"  # readers of folders skip names that begin with _


class ParquetError(RuntimeError):
    """A folder, a part or a file cannot be used; the text says which and why."""


@dataclass(frozen=True)
class Compacted:
    """The result for one folder.

    `events` of `parts` were written to the new `files`; `removed`: parts that were deleted.
    """

    events: int = 0
    parts: int = 0
    files: int = 0
    removed: int = 0

    def __add__(self, other: Compacted) -> Compacted:
        return Compacted(
            self.events + other.events,
            self.parts + other.parts,
            self.files + other.files,
            self.removed + other.removed,
        )


@dataclass(frozen=True)
class Folder:
    """The root of an archive: a local folder, or one in a bucket."""

    store: fs.FileSystem
    path: str

    def files(self) -> Iterator[tuple[str, float]]:
        """The complete files, as relative paths, and how old they are, in seconds.

        Names that begin with . or _ belong to a writer.
        """
        now = datetime.now(timezone.utc)
        for found in self.store.get_file_info(
            fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        ):
            name = found.path[len(self.path) :].lstrip("/")
            hidden = any(step.startswith((".", "_")) for step in PurePosixPath(name).parts)
            if found.type == fs.FileType.File and not hidden:
                yield name, (now - found.mtime).total_seconds()

    def place(self, name: str) -> str:
        return f"{self.path}/{name}"


def open_folder(where: str) -> Folder:
    """A path, file:///PATH, or s3://BUCKET/PREFIX with the login and endpoint of the AWS_ variables."""
    if where.startswith("s3://"):
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        store = fs.S3FileSystem(endpoint_override=endpoint, region=region)
        return Folder(store, where.removeprefix("s3://").rstrip("/"))
    return Folder(fs.LocalFileSystem(), str(Path(where.removeprefix("file://")).resolve()))


def compact(archive: Folder, target: Folder, *, remove: bool) -> Iterator[Compacted]:
    """Convert every folder. Raises ParquetError, OSError.

    With `remove`, parts that are in complete Parquet files are deleted from the archive after KEPT seconds.
    """
    parts: dict[str, list[str]] = defaultdict(list)
    ages = dict(archive.files())
    for name in sorted(ages):
        parts[str(PurePosixPath(name).parent)].append(name)
    if not parts:
        raise ParquetError(f"{archive.path}: no complete part is in it")
    done = _done(target)
    for folder, names in parts.items():
        new = [name for name in names if name not in done]
        written = Compacted()
        if new:
            written = Compacted(_write(archive, target, folder, new), len(new), 1)
        if remove:
            old = [name for name in names if ages[name] >= KEPT]
            for name in old:
                archive.store.delete_file(archive.place(name))
            written += Compacted(removed=len(old))
        yield written


def _done(target: Folder) -> set[str]:
    """The parts that are in complete files. Raises ParquetError."""
    found: set[str] = set()
    for name, _ in target.files():
        if name.endswith(".parquet"):
            place = target.place(name)
            try:
                footer = pq.read_metadata(place, filesystem=target.store).metadata or {}
            except pa.ArrowInvalid as error:
                why = f"{place} cannot be read as Parquet ({error}). Move it away"
                raise ParquetError(f"{why}: parts of it that still exist are converted again") from error
            found |= set(json.loads(footer.get(_PARTS, b"[]")))
    return found


def _write(archive: Folder, target: Folder, folder: str, parts: list[str]) -> int:
    """Write one file of these parts, completely or not at all.

    Returns the number of events. A repeat has the same name.
    """
    told = json.dumps(parts).encode()
    name = f"events-{hashlib.sha256(told).hexdigest()[:16]}.parquet"
    place = target.place(f"{folder}/{name}")
    incoming = target.place(f"{folder}/{_INCOMING}{name}")
    with tempfile.TemporaryDirectory(prefix="win-event-parquet-") as scratch:
        draft = f"{scratch}/{name}"
        with pq.ParquetWriter(draft, _COLUMNS.with_metadata({_PARTS: told}), compression="zstd") as file:
            for part in parts:
                for table in _tables(archive, part):
                    file.write_table(table)
        target.store.create_dir(target.place(folder), recursive=True)
        fs.copy_files(
            draft, incoming, source_filesystem=fs.LocalFileSystem(), destination_filesystem=target.store
        )
        events = int(pq.read_metadata(draft).num_rows)
    if pq.read_metadata(incoming, filesystem=target.store).num_rows != events:
        raise ParquetError(f"{incoming} is not what was written")
    target.store.move(incoming, place)
    return events


def _tables(archive: Folder, part: str) -> Iterator[pa.Table]:
    number = 0
    with archive.store.open_input_file(archive.place(part)) as file:
        rest = b""
        while piece := file.read(_BATCH_BYTES):
            *lines, rest = (rest + piece).split(b"\n")
            yield _table(lines, part, number)
            number += len(lines)
        yield _table([rest] if rest else [], part, number)


def _table(lines: list[bytes], part: str, before: int) -> pa.Table:
    rows = [_row(line, f"{part}, line {number}") for number, line in enumerate(lines, before + 1) if line]
    return pa.Table.from_pylist(rows, schema=_COLUMNS)


def _row(line: bytes, where: str) -> dict[str, object]:
    event, _, computer = read_line(line)
    told = first_of(event or {}, TIMESTAMP_FIELDS)
    ticks = None if told is None else read_ticks(told)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ParquetError(f"{where} is not UTF-8") from None
    time = None if ticks is None else ticks // _TICKS_PER_MICROSECOND
    return {"event_time": time, "computer": computer, "line": text}
