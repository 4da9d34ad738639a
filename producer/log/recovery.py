"""Reads a log folder at the start: which parts are intact or missing, and where record ids continue.

The producer starts whatever a kill or a power cut left. Parts that cannot be used are skipped and reported.
"""

from __future__ import annotations

import mmap
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import orjson

from producer.events.formats import identify
from producer.events.line_rule import parse_object
from producer.log.ledger import POSTED

ABOUT_FILE, END_FILE = "log.json", "end"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_EARLIER = 100  # number of earlier log ids that are stored
_END_DIGITS = 20
_LARGEST_OFFSET = 2**63 - 1
_Document = TypeVar("_Document")

RecordIds = dict[tuple[str, str], int]  # (computer, source) -> last id


class LogDirectoryError(Exception):
    """The folder cannot be used; the text says why and what to do."""


@dataclass
class Segment:
    """Whole lines from offset `start` on; `events` and `record_ids` describe what comes before them."""

    start: int
    events: int
    record_ids: RecordIds
    data: bytes | memoryview = b""

    @property
    def end(self) -> int:
        return self.start + len(self.data)


class EarlierLog(NamedTuple):
    """The log had this id until it was cut back to `end`; its readers may have read as far as `reached`."""

    log_id: str
    end: int
    reached: int


class _About(msgspec.Struct):
    """The content of log.json. A missing member counts as the worse case."""

    log_id: str = ""
    format: str = ""
    starts: int = 0
    earlier: list[EarlierLog] = []
    boot_id: str = ""
    fsync: str = ""
    clean: bool = False


class _AboutSegment(msgspec.Struct):
    """The content of OFFSET.json."""

    events: int
    record_ids: list[tuple[str, str, int]]


class RecoveredEvent(NamedTuple):
    """An event of the log's last segment; `line` without LF."""

    computer: str
    source: str
    record_id: int
    line: bytes


@dataclass
class RecoveredLog:
    """The contents of a folder. The last segment is the active one; `remarks` are messages for people."""

    log_id: str
    fmt: str
    starts: int
    segments: list[Segment] = field(default_factory=list)
    earlier: list[EarlierLog] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.segments[-1].end if self.segments else 0

    def about(self, fsync: str, clean: bool) -> dict[str, Any]:
        """The content of log.json while the log is open, or (`clean`) after it was closed."""
        return {
            "log_id": self.log_id,
            "format": self.fmt,
            "starts": self.starts,
            "earlier": self.earlier[-_EARLIER:],
            "boot_id": _boot_id(),
            "fsync": fsync,
            "clean": clean,
        }


def recover(folder: Path, fmt: str) -> RecoveredLog:
    """Read `folder`, whose events have the shape `fmt`. Raises LogDirectoryError for another shape."""
    about = read_json(folder / ABOUT_FILE, _About)
    known = about or _About()
    if known.format not in ("", fmt):
        raise LogDirectoryError(
            f"{folder}: this log holds --format {known.format}, not {fmt}; use another folder"
        )
    log = RecoveredLog(known.log_id or secrets.token_hex(8), fmt, known.starts + 1, [], known.earlier)
    _read_segments(log, folder)
    if about:
        _tell_cut_back(log, about, _read_end(folder / END_FILE))
    elif log.segments:
        log.remarks.append(f"{ABOUT_FILE} cannot be read: the log is log {log.log_id} now")
    return log


def _tell_cut_back(log: RecoveredLog, about: _About, reached: int | None) -> None:
    """Give the log a new id if bytes that a reader may have seen can be lost.

    They are lost for sure if the log is shorter than readers may have read. They may be lost if that position
    is unknown, or if the machine was restarted while the log was open and not everything was synced.
    """
    was_cut = reached is not None and reached > log.end
    lost_power = about.fsync != "always" and about.boot_id != _boot_id()
    if not was_cut and (about.clean or (reached is not None and not lost_power)):
        return
    log.earlier.append(EarlierLog(log.log_id, log.end, max(reached or 0, log.end)))
    old, log.log_id = log.log_id, secrets.token_hex(8)
    why = "the machine went down meanwhile" if lost_power else f"{END_FILE} cannot be read"
    if was_cut and reached:
        why = f"{reached - log.end} bytes are gone"
    log.remarks.append(f"the log ends at {log.end}, {why}: log {old} is log {log.log_id} from there on")


def _read_segments(log: RecoveredLog, folder: Path) -> None:
    """The segments after the last hole; nothing before it can be reached any more."""
    starts = sorted(int(path.stem) for path in folder.glob("*.log") if path.stem.isdecimal())
    for start in starts:
        path = segment_path(folder, start)
        before = log.segments[-1] if log.segments else None
        if before and before.end != start:
            for each in log.segments:
                lost = segment_path(folder, each.start)
                lost.rename(lost.with_suffix(".unreachable"))
            log.remarks.append(f"bytes {before.end}..{start} are missing: the log starts at {start} now")
            log.segments.clear()
        data = _cut_torn_tail(path) if start == starts[-1] else map_file(path)
        log.segments.append(_segment(path, start, data, before, log))
    if log.segments and (count := sum(1 for _ in _unreadable(log.segments[-1]))):
        log.remarks.append(
            f"{count} lines of the last segment cannot be read as events; they are left as they are"
        )


def _segment(
    path: Path, start: int, data: bytes | memoryview, before: Segment | None, log: RecoveredLog
) -> Segment:
    about = read_json(path.with_suffix(".json"), _AboutSegment)
    if about is not None:
        ids = {(computer, source): last for computer, source, last in about.record_ids}
        return Segment(start, about.events, ids, data)
    log.remarks.append(f"{path.with_suffix('.json').name} cannot be read: its figures are computed again")
    if before is None:
        return Segment(start, 0, _first_ids(data, log.fmt), data)
    events = before.events + bytes(before.data).count(b"\n")
    return Segment(start, events, last_record_ids(before, log.fmt), data)


def _first_ids(data: bytes | memoryview, fmt: str) -> RecordIds:
    """The last ids before these lines, computed from the lines themselves; for a missing file."""
    first: RecordIds = {}
    for _, identity in _identities(data, fmt):
        if identity:
            first.setdefault(identity[:2], identity[2] - 1)
    return first


def events_of(segment: Segment, fmt: str) -> Iterator[RecoveredEvent]:
    """The events of a segment. Those that do not continue a generated sequence count as posted."""
    last = dict(segment.record_ids)
    for line, identity in _identities(segment.data, fmt):
        key = identity[:2] if identity and identity[2] == last.get(identity[:2], 0) + 1 else POSTED
        last[key] = last.get(key, 0) + 1
        yield RecoveredEvent(*key, last[key], line)


def last_record_ids(segment: Segment, fmt: str) -> RecordIds:
    """The last id of every sequence at the end of the log, whose last segment this is."""
    last = dict(segment.record_ids)
    for event in events_of(segment, fmt):
        last[event.computer, event.source] = event.record_id
    return last


def _identities(data: bytes | memoryview, fmt: str) -> Iterator[tuple[bytes, tuple[str, str, int] | None]]:
    for line in _lines(data):
        document = _parse(line)
        yield line, identify(document, fmt) if isinstance(document, dict) else None


def _unreadable(segment: Segment) -> Iterator[bytes]:
    return (line for line in _lines(segment.data) if not isinstance(_parse(line), dict))


def _lines(data: bytes | memoryview) -> list[bytes]:
    """Split only at LF, as the log counts lines: a line may contain a bare CR."""
    return bytes(data).split(b"\n")[:-1]


def _parse(line: bytes) -> Any:
    """Parse by the same rule as the intake, so that every event that was taken can be read."""
    try:
        return orjson.loads(line)
    except ValueError:
        return parse_object(line)


def segment_path(folder: Path, start: int) -> Path:
    return folder / f"{start:020d}.log"


def map_file(path: Path) -> memoryview:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))


def _cut_torn_tail(path: Path) -> bytes:
    """The whole lines of the last segment. Readers never got the bytes after the last LF."""
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        os.truncate(path, end)
    return content[:end]


def mark_of(end: int) -> bytes:
    """The content of the file `end`: always the same number of bytes, so that one write replaces it."""
    return b"%0*d\n" % (_END_DIGITS, end)


def _read_end(path: Path) -> int | None:
    try:
        text = path.read_bytes()
    except OSError:
        return None
    digits = text[:_END_DIGITS]
    if not digits.isdigit() or text != digits + b"\n" or int(digits) > _LARGEST_OFFSET:
        return None
    return int(digits)


def read_json(path: Path, kind: type[_Document]) -> _Document | None:
    """The JSON object of a file.

    None if it does not exist, a power cut has emptied it, or it has other content.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _boot_id() -> str:
    """An id that changes with every start of the machine; empty if the system has none."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
