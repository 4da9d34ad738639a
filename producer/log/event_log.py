"""The event log: one append-only sequence of bytes in whole lines, read by any number of cursors.

Like a Kafka partition, it has an id, a start offset and an end offset. Readers share the same immutable
chunks, so a client needs no copy, and a slow client only lags.
"""

from __future__ import annotations

import logging
import secrets
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from producer.log.log_directory import LogDirectory
from producer.log.recovery import EarlierLog, RecordIds, RecoveredLog, last_record_ids
from producer.protocol import MAX_LINE_BYTES

_log = logging.getLogger("producer.log")

_JOINED_BYTES = 64 * 1024  # small appends are joined up to this: a reader sends more with each call


class TrimmedError(Exception):
    """The offset lies before the start of the log: those bytes are no longer kept."""

    def __init__(self, start: int) -> None:
        super().__init__(f"the log starts at {start}")
        self.start = start


class LogRefusedError(Exception):
    """Nothing was appended, and nothing can be appended for now; the text says why."""


class LogFullError(LogRefusedError):
    """A slow reader needs more than may be retained (--slow-client block)."""

    def __init__(self) -> None:
        super().__init__("a slow client holds back all that --retain-bytes lets the log keep")


class Book(Protocol):
    """The record beside the log (the ledger); it must contain everything before the last segment."""

    @property
    def trouble(self) -> str: ...

    def check(self) -> None:
        """Raises OSError while it cannot be written."""

    def flush(self) -> None: ...


@dataclass
class _Chunk:
    start: int
    data: bytes | memoryview
    events_before: int


class EventLog:
    """Thread-safe. At most `retain_bytes` are kept (the last append always is); trimming drops whole chunks.

    With a `directory`, every append is on disk before a reader sees it, and full segments are read from
    there. The append itself handles segments, retention and capacity.
    """

    def __init__(
        self,
        retain_bytes: int,
        directory: LogDirectory | None = None,
        recovered: RecoveredLog | None = None,
        book: Book | None = None,
    ) -> None:
        self.log_id = recovered.log_id if recovered else secrets.token_hex(8)
        self.earlier: tuple[EarlierLog, ...] = tuple(recovered.earlier) if recovered else ()
        self.book = book
        self._record_ids: RecordIds = {}
        self._retain, self._directory = retain_bytes, directory
        self._chunks: list[_Chunk] = []
        self._starts: list[int] = []
        self._small = 0  # chunks at the end that will be joined
        self._start = self._end = self._events = 0
        self._appending = threading.Lock()
        self._changed = threading.Condition()
        self._floor: Callable[[], int] | None = None
        if recovered:
            self._take_over(recovered)

    @property
    def start(self) -> int:
        return self._start

    @property
    def end(self) -> int:
        return self._end

    @property
    def events(self) -> int:
        """Events appended so far, also by earlier runs."""
        return self._events

    @property
    def trouble(self) -> str:
        """Why nothing can be appended now; empty if it can."""
        own = self._directory.trouble if self._directory else ""
        return own or (self.book.trouble if self.book else "")

    def append(
        self,
        data: bytes,
        events: int,
        last_ids: Callable[[], RecordIds] | None = None,
        entered: Callable[[], object] | None = None,
    ) -> int:
        """Add whole lines and wake the readers; returns the offset where they begin.

        `last_ids` returns the last ids of the sequences in them (called only if they are stored). `entered`
        is called when the bytes are in the log and before anyone else appends: it makes the entry in the
        ledger. Raises LogRefusedError: then nothing was added.
        """
        if not data.endswith(b"\n"):
            raise ValueError("the log takes whole lines")
        with self._appending:
            if self.is_full():
                raise LogFullError
            self._write(data)
            with self._changed:
                offset = self._end
                self._add_chunk(data, events)
                self._join_small(len(data))
                self._trim()
                self._changed.notify_all()
            if self._directory and last_ids:
                self._record_ids.update(last_ids())
            if entered:
                entered()
            if self._directory and self._directory.is_segment_full:
                self._roll(self._directory)
        return offset

    def _write(self, data: bytes) -> None:
        try:
            if self.book:
                self.book.check()
            if self._directory:
                self._directory.write(data)
        except OSError as error:
            raise LogRefusedError(self.trouble or str(error)) from error

    def _roll(self, directory: LogDirectory) -> None:
        """Begin a new segment on disk; when the disk refuses, the next append tries again."""
        try:
            if self.book:
                self.book.flush()
            if directory.is_segment_empty:
                directory.write_about(self._events, self._record_ids)
                return
            sealed = directory.roll(self._events, self._record_ids)
        except OSError as error:
            _log.warning("cannot begin a new segment of the log: %s", error.strerror)
            return
        with self._changed:
            first = bisect_left(self._starts, sealed.start)
            events_before = self._chunks[first].events_before
            self._chunks[first:] = [_Chunk(sealed.start, sealed.data, events_before)]
            self._starts[first:] = [sealed.start]
            self._small = 0
            self._trim()

    def every_second(self) -> None:
        """Sync the waiting bytes, and check whether a full disk has room again."""
        if self._directory:
            self._directory.sync()
            self._directory.look_for_room()

    def read(self, offset: int) -> memoryview:
        """Bytes from `offset` to the end of its chunk; empty at the end of the log. Raises TrimmedError."""
        with self._changed:
            if offset < self._start:
                raise TrimmedError(self._start)
            if offset >= self._end:
                return memoryview(b"")
            chunk = self._chunks[bisect_right(self._starts, offset) - 1]
        return memoryview(chunk.data)[offset - chunk.start :]

    def wait(self, offset: int, timeout: float) -> bool:
        """Wait until there is something at `offset`; False after `timeout` seconds or a `wake`."""
        with self._changed:
            return self._end > offset or (self._changed.wait(timeout) and self._end > offset)

    def wake(self) -> None:
        """Wake every waiting reader, so that it sees a stop."""
        with self._changed:
            self._changed.notify_all()

    def line_start(self, offset: int) -> int:
        """The start of the line that holds `offset`, no earlier than the log's start."""
        with self._changed:
            if offset <= self._start or not self._chunks:
                return self._start
            if offset >= self._end:
                return self._end
            chunk = self._chunks[bisect_right(self._starts, offset) - 1]
        inside = offset - chunk.start
        first = max(inside - MAX_LINE_BYTES, 0)
        return chunk.start + first + bytes(chunk.data[first:inside]).rfind(b"\n") + 1

    def events_before(self, offset: int) -> int:
        """About how many events are before `offset` (exact at chunk borders), for lag figures."""
        with self._changed:
            if offset >= self._end or not self._chunks:
                return self._events
            index = max(bisect_right(self._starts, offset) - 1, 0)
            chunk = self._chunks[index]
            following = (
                self._chunks[index + 1].events_before if index + 1 < len(self._chunks) else self._events
            )
        share = max(offset - chunk.start, 0) / len(chunk.data)
        return chunk.events_before + int((following - chunk.events_before) * share)

    def hold_for(self, floor: Callable[[], int]) -> None:
        """Keep everything from the offset that `floor` returns, even beyond `retain_bytes`."""
        self._floor = floor

    def is_full(self) -> bool:
        """True while a slow reader needs more than may be retained; the writer should wait."""
        if self._floor is None:
            return False
        with self._changed:
            self._trim()
            return len(self._chunks) > 1 and self._end - self._start > self._retain

    def _take_over(self, recovered: RecoveredLog) -> None:
        self._start = self._end = recovered.segments[0].start
        for segment in recovered.segments:
            self._events = segment.events
            if segment.data:
                self._add_chunk(segment.data, 0)
        self._events += bytes(recovered.segments[-1].data).count(b"\n")
        self._record_ids = last_record_ids(recovered.segments[-1], recovered.fmt)

    def continue_after(self, record_ids: RecordIds) -> None:
        """Let the sequences go on after these ids, which may be later than those of the log.

        The next lines then begin a segment, whose file keeps the ids: read on from lines with smaller ids,
        they would count as posted.
        """
        with self._appending:
            if self._directory and record_ids != self._record_ids:
                self._record_ids = dict(record_ids)
                self._roll(self._directory)

    @property
    def record_ids(self) -> RecordIds:
        """The last id of every generated sequence in a log that was recovered or is on disk."""
        return dict(self._record_ids)

    def _add_chunk(self, data: bytes | memoryview, events: int) -> None:
        self._starts.append(self._end)
        self._chunks.append(_Chunk(self._end, data, self._events))
        self._end += len(data)
        self._events += events

    def _join_small(self, added: int) -> None:
        if added >= _JOINED_BYTES:
            self._small = 0
            return
        self._small += 1
        tail = self._chunks[-self._small :]
        if self._end - tail[0].start >= _JOINED_BYTES:
            joined = _Chunk(tail[0].start, b"".join(chunk.data for chunk in tail), tail[0].events_before)
            self._chunks[-self._small :] = [joined]
            self._starts[-self._small :] = [joined.start]
            self._small = 0

    def _trim(self) -> None:
        limit = self._end - self._retain
        floor = self._floor() if self._floor else self._end
        if self._directory:  # the active segment stays
            floor = min(floor, self._directory.active_start)
        drop = 0
        while drop < len(self._chunks) - 1 and self._starts[drop] < limit and self._starts[drop + 1] <= floor:
            drop += 1
        if drop:
            if self._directory:
                for start in self._starts[:drop]:
                    self._directory.remove(start)
            del self._chunks[:drop], self._starts[:drop]
            self._start = self._starts[0]
            self._small = min(self._small, len(self._chunks))
