"""The event log on disk: segment files that survive a restart and a kill -9.

A folder holds `log.json` (log id, format, number of starts, earlier ids), `end` (how far readers may have
read), and for each segment `OFFSET.log` (its lines) and `OFFSET.json` (how many events and which record ids
come before it). Bytes are written before any reader sees them, so a kill loses nothing that a reader got.
`fsync` decides what a power cut can lose.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from pathlib import Path
from typing import Any

from producer.log.recovery import (
    ABOUT_FILE,
    END_FILE,
    LogDirectoryError,
    RecordIds,
    RecoveredLog,
    Segment,
    map_file,
    mark_of,
    recover,
    segment_path,
)
from toolkit.atomic_file import remove_drafts, write_atomically

FSYNC_POLICIES = ("always", "second", "never")
_SMALLEST_SEGMENT, _LARGEST_SEGMENT = 64 * 1024, 64 * 1024 * 1024
_ROOM_BYTES = 64 * 1024  # bytes that must fit before a full disk counts as having room again


class LogDirectory:
    """One process at a time. Segments are a quarter of `retain_bytes`, 64 MiB at most.

    `trouble` says why nothing can be written now; empty if it can.
    """

    def __init__(self, folder: Path, retain_bytes: int, fsync: str = "second") -> None:
        self._folder, self._fsync = folder, fsync
        self._segment_bytes = min(max(retain_bytes // 4, _SMALLEST_SEGMENT), _LARGEST_SEGMENT)
        self._active = self._end_file = -1
        self._start = self._size = 0
        self._unsynced = self._broken = False
        self._swapping = threading.Lock()  # between a roll and a sync by another thread
        self.trouble = ""
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
        """Recover an existing log, without a torn last line, or begin a new one. Raises LogDirectoryError."""
        remove_drafts(self._folder)
        log = recover(self._folder, fmt)
        self._write_json(self._folder / ABOUT_FILE, log.about(self._fsync, clean=False))
        if not log.segments:
            log.segments.append(Segment(0, 0, {}))
            self._write_about_segment(0, 0, {})
        self._about = log
        self._open_segment(log.segments[-1].start, len(log.segments[-1].data))
        self._end_file = os.open(self._folder / END_FILE, os.O_WRONLY | os.O_CREAT, 0o644)
        self._mark_end()
        os.ftruncate(self._end_file, len(mark_of(0)))
        return log

    def write(self, data: bytes) -> None:
        """Append whole lines to the active segment. Raises OSError; then the file is unchanged."""
        if self._broken:
            raise OSError(0, self.trouble)
        try:
            _write_all(self._active, data)
            if self._fsync == "always":
                os.fdatasync(self._active)
        except OSError as error:
            self._take_back(error)
            raise
        self._size += len(data)
        self._unsynced, self.trouble = True, ""
        self._mark_end()

    def _take_back(self, error: OSError) -> None:
        """Undo half a write: otherwise offsets and file would differ."""
        self.trouble = f"{self._folder}: {error.strerror}"
        try:
            os.ftruncate(self._active, self._size)
        except OSError as second:
            self._broken = True
            self.trouble += f", and what was half written stays: {second.strerror}; start the producer again"

    def look_for_room(self) -> None:
        """Clear `trouble` when the disk accepts bytes again, without waiting for the next append."""
        if not self.trouble or self._broken:
            return
        probe = self._folder / ".room"
        with contextlib.suppress(OSError):
            try:
                probe.write_bytes(bytes(_ROOM_BYTES))
                self.trouble = ""
            finally:
                probe.unlink(missing_ok=True)

    def sync(self) -> None:
        """Force what was written to disk (`--fsync second`); appends go on meanwhile."""
        with self._swapping:
            if self._fsync != "second" or not self._unsynced or self._active < 0:
                return
            self._unsynced = False
            active = os.dup(self._active)
        try:
            os.fdatasync(active)
        except OSError as error:  # the kernel may have dropped the pages, so nothing is certain after it
            self._broken = True
            self.trouble = f"{self._folder}: {error.strerror} while syncing; start the producer again"
        finally:
            os.close(active)

    def _mark_end(self) -> None:
        """Store how far readers may read. A start that finds fewer bytes then knows that some are lost."""
        with contextlib.suppress(OSError):
            os.pwrite(self._end_file, mark_of(self._start + self._size), 0)

    @property
    def active_start(self) -> int:
        return self._start

    @property
    def is_segment_full(self) -> bool:
        return self._size >= self._segment_bytes

    @property
    def is_segment_empty(self) -> bool:
        return not self._size

    def write_about(self, events: int, record_ids: RecordIds) -> None:
        """Keep the number of events and the last ids before the active segment. Raises OSError."""
        self._write_about_segment(self._start, events, record_ids)

    def roll(self, events: int, record_ids: RecordIds) -> Segment:
        """Close the active segment and begin the next; returns the closed one, mapped from its file.

        Raises OSError; then the active segment is still the active one.
        """
        sealed, end = self._start, self._start + self._size
        if self._fsync != "never":
            os.fdatasync(self._active)
        self._write_about_segment(end, events, record_ids)
        data = map_file(segment_path(self._folder, sealed))
        with self._swapping:
            old = self._active
            self._open_segment(end, 0)
            os.close(old)
        return Segment(sealed, 0, {}, data)

    def remove(self, start: int) -> None:
        """Forget the segment that begins at `start`."""
        path = segment_path(self._folder, start)
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)

    def close(self) -> None:
        if self._active >= 0:
            with contextlib.suppress(OSError):
                os.fdatasync(self._active)
                if not self._broken:
                    about = json.dumps(self._about.about(self._fsync, clean=True))
                    write_atomically(self._folder / ABOUT_FILE, about)
            with self._swapping:
                os.close(self._active)
                os.close(self._end_file)
                self._active = -1
        os.close(self._lock)

    def _open_segment(self, start: int, size: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._active = os.open(segment_path(self._folder, start), flags, 0o644)
        self._start, self._size = start, size

    def _write_about_segment(self, start: int, events: int, record_ids: RecordIds) -> None:
        rows = [[computer, source, last] for (computer, source), last in record_ids.items()]
        path = segment_path(self._folder, start).with_suffix(".json")
        self._write_json(path, {"events": events, "record_ids": rows})

    def _write_json(self, path: Path, value: Any) -> None:
        write_atomically(path, json.dumps(value), sync=self._fsync != "never")


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
