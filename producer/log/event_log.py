"""The event log: one append-only run of bytes in whole lines, read by any number of cursors.

Like a Kafka partition it has an id, a start offset and an end offset. Readers share the same immutable
chunks, so a client costs no copy, and a slow client only lags.
"""

from __future__ import annotations

import secrets
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from producer.log.log_directory import LogDirectory, RecordIds, RecoveredLog
from producer.protocol import MAX_LINE_BYTES

_JOINED_BYTES = 64 * 1024  # small appends are joined up to this, so that a reader's send is worth its call


class TrimmedError(Exception):
    """The offset lies before the start of the log: those bytes are no longer kept."""

    def __init__(self, start: int) -> None:
        super().__init__(f"the log starts at {start}")
        self.start = start


@dataclass
class _Chunk:
    start: int
    data: bytes | memoryview
    events_before: int


class EventLog:
    """Thread-safe. At most `retain_bytes` are kept (the last append always is); trimming drops whole chunks.

    With a `directory` every append is on disk before a reader sees it, and full segments are read from there.
    """

    def __init__(
        self,
        retain_bytes: int,
        directory: LogDirectory | None = None,
        recovered: RecoveredLog | None = None,
    ) -> None:
        self.log_id = recovered.log_id if recovered else secrets.token_hex(8)
        self._retain, self._directory = retain_bytes, directory
        self._chunks: list[_Chunk] = []
        self._starts: list[int] = []
        self._small = 0  # chunks at the tail that wait to be joined
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

    def append(self, data: bytes, events: int) -> None:
        """Add whole lines and wake the readers."""
        if not data.endswith(b"\n"):
            raise ValueError("the log takes whole lines")
        with self._appending:
            if self._directory:
                self._directory.write(data)
            with self._changed:
                self._add_chunk(data, events)
                self._join_small(len(data))
                self._trim()
                self._changed.notify_all()

    @property
    def is_segment_full(self) -> bool:
        return self._directory is not None and self._directory.is_segment_full

    def roll(self, record_ids: RecordIds) -> None:
        """Begin a new segment on disk; `record_ids` are the last ones in the log."""
        if self._directory is None:
            return
        with self._appending:
            sealed = self._directory.roll(self._events, record_ids)
            with self._changed:
                first = bisect_left(self._starts, sealed.start)
                events_before = self._chunks[first].events_before
                self._chunks[first:] = [_Chunk(sealed.start, sealed.data, events_before)]
                self._starts[first:] = [sealed.start]
                self._small = 0

    def read(self, offset: int) -> memoryview:
        """Bytes from `offset` on, as far as one chunk goes; empty at the end. Raises TrimmedError."""
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
        """Let every waiting reader look around (for a stop)."""
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
        """About how many events lie before `offset` (exact at chunk borders), for lag figures."""
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
        """Keep everything from the offset that `floor` returns on, beyond `retain_bytes` if need be."""
        self._floor = floor

    def is_full(self) -> bool:
        """True while a reader holds back more than may be retained; the writer should wait."""
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
        if self._directory:  # the segment that is written on stays
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
