"""The event log on disk: segment files that survive a restart and a kill -9.

A folder holds `log.json` (log id, format, number of starts), and for each segment `OFFSET.log` (its lines)
and `OFFSET.json` (how many events and which record ids lie before it). Bytes are written before any reader
sees them, so a kill loses nothing that was handed out; `fsync` decides what a power cut may take.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FSYNC_POLICIES = ("always", "second", "never")
_SMALLEST_SEGMENT, _LARGEST_SEGMENT = 64 * 1024, 64 * 1024 * 1024

RecordIds = dict[tuple[str, str], int]  # (computer, source) -> last id


class LogDirectoryError(Exception):
    """The folder cannot be used; the text says why and what to do."""


@dataclass
class Segment:
    """Whole lines from offset `start` on; `events` and `record_ids` are what lies before them."""

    start: int
    events: int
    record_ids: RecordIds
    data: bytes | memoryview = b""


@dataclass
class RecoveredLog:
    """What a folder holds. The last segment is the one that is written on."""

    log_id: str
    starts: int
    segments: list[Segment] = field(default_factory=list)


class LogDirectory:
    """One process at a time. Segments are a quarter of `retain_bytes`, 64 MiB at most."""

    def __init__(self, folder: Path, retain_bytes: int, fsync: str = "second") -> None:
        self._folder, self._fsync = folder, fsync
        self._segment_bytes = min(max(retain_bytes // 4, _SMALLEST_SEGMENT), _LARGEST_SEGMENT)
        self._active = -1
        self._start = self._size = 0
        self._synced = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise LogDirectoryError(
                f"{folder}: another producer writes this log; give each its own"
            ) from None

    def open(self, fmt: str) -> RecoveredLog:
        """Recover what is there, or begin a log; cuts a torn tail. Raises LogDirectoryError."""
        try:
            about = json.loads((self._folder / "log.json").read_bytes())
        except FileNotFoundError:
            about = {"log_id": secrets.token_hex(8), "format": fmt, "starts": 0}
        if about["format"] != fmt:
            raise LogDirectoryError(
                f"{self._folder}: this log holds --format {about['format']}, not {fmt}; use another folder"
            )
        about["starts"] += 1
        self._write_json("log.json", about)
        log = RecoveredLog(about["log_id"], about["starts"], self._recover())
        if not log.segments:
            log.segments.append(Segment(0, 0, {}))
            self._write_about_segment(0, 0, {})
        self._open_segment(log.segments[-1].start, len(log.segments[-1].data))
        return log

    def write(self, data: bytes) -> None:
        """Append whole lines to the active segment."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._active, view) :]
        self._size += len(data)
        now = time.monotonic()
        if self._fsync == "always" or (self._fsync == "second" and now - self._synced >= 1.0):
            os.fdatasync(self._active)
            self._synced = now

    @property
    def active_start(self) -> int:
        return self._start

    @property
    def is_segment_full(self) -> bool:
        return self._size >= self._segment_bytes

    def roll(self, events: int, record_ids: RecordIds) -> Segment:
        """Seal the active segment, begin the next; returns the sealed one, mapped from its file."""
        sealed, end = self._start, self._start + self._size
        if self._fsync != "never":
            os.fdatasync(self._active)
        os.close(self._active)
        self._write_about_segment(end, events, record_ids)
        self._open_segment(end, 0)
        return Segment(sealed, 0, {}, _map(self._path(sealed)))

    def remove(self, start: int) -> None:
        """Forget the segment that begins at `start`."""
        self._path(start).unlink(missing_ok=True)
        self._path(start).with_suffix(".json").unlink(missing_ok=True)

    def close(self) -> None:
        if self._active >= 0:
            os.fdatasync(self._active)
            os.close(self._active)
            self._active = -1
        os.close(self._lock)

    def _recover(self) -> list[Segment]:
        starts = sorted(int(path.stem) for path in self._folder.glob("*.log") if path.stem.isdecimal())
        segments = []
        for start in starts:
            last = start == starts[-1]
            data = _cut_torn_tail(self._path(start)) if last else _map(self._path(start))
            segments.append(Segment(start, *self._read_about_segment(start), data))
            if not last and start + len(data) != starts[len(segments)]:
                missing = f"{start + len(data)}..{starts[len(segments)]}"
                raise LogDirectoryError(f"{self._folder}: bytes {missing} are missing; move the folder away")
        return segments

    def _path(self, start: int) -> Path:
        return self._folder / f"{start:020d}.log"

    def _open_segment(self, start: int, size: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._active = os.open(self._path(start), flags, 0o644)
        self._start, self._size = start, size

    def _write_about_segment(self, start: int, events: int, record_ids: RecordIds) -> None:
        rows = [[computer, source, last] for (computer, source), last in record_ids.items()]
        self._write_json(f"{start:020d}.json", {"events": events, "record_ids": rows})

    def _read_about_segment(self, start: int) -> tuple[int, RecordIds]:
        about = json.loads(self._path(start).with_suffix(".json").read_bytes())
        return about["events"], {(computer, source): last for computer, source, last in about["record_ids"]}

    def _write_json(self, name: str, value: Any) -> None:
        write_json(self._folder / name, value, sync=self._fsync != "never")


def write_json(path: Path, value: Any, sync: bool) -> None:
    """Replace the file as a whole: a kill leaves the old or the new one."""
    scratch = path.with_name(f".{path.name}.new")
    with scratch.open("w", encoding="ascii") as file:
        json.dump(value, file)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    scratch.replace(path)


def _map(path: Path) -> memoryview:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))


def _cut_torn_tail(path: Path) -> bytes:
    """The whole lines of the last segment. A kill tears its last line, a power cut may leave zeros."""
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    while end and not _is_event(content[content.rfind(b"\n", 0, end - 1) + 1 : end]):
        end = content.rfind(b"\n", 0, end - 1) + 1
    if end < len(content):
        os.truncate(path, end)
    return content[:end]


def _is_event(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
