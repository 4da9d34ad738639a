"""Takes blocks of lines from the readers, writes the selected events, updates the bookmark."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from consumer.events.event_view import view
from consumer.log_client.bookmark import BookmarkFile, Position
from consumer.tail.event_filter import EventFilter
from consumer.tail.stats import StreamStats
from consumer.tail.view import Render, raw
from producer.endpoint import Endpoint

_BOOKMARK_SECONDS = 0.5  # after a kill, this much may be repeated; a normal end is exact

Write = Callable[[bytes], None]  # whole lines; raises BrokenPipeError if nobody reads any more


@dataclass(frozen=True)
class Wanted:
    """Which events to write, how many, and in which form; `stats` counts them instead."""

    filter: EventFilter = field(default_factory=EventFilter)
    count: int | None = None
    render: Render = raw
    stats: StreamStats | None = None

    @property
    def everything_as_it_came(self) -> bool:
        return self.render is raw and not self.filter and self.stats is None


class EventSink:
    """Shared by all readers; sets `stop` when there is nothing more to do."""

    def __init__(
        self, wanted: Wanted, write: Write, stop: threading.Event, bookmark: BookmarkFile | None = None
    ) -> None:
        self.shown = 0
        self.failure: Exception | None = None
        self._wanted = wanted
        self._write = write
        self._stop = stop
        self._bookmark = bookmark
        self._lock = threading.Lock()
        self._positions: dict[str, Position] = {}
        self._saved: dict[str, Position] = {}
        self._saved_at = 0.0

    @property
    def enough(self) -> bool:
        return self._wanted.count is not None and self.shown >= self._wanted.count

    def __call__(self, endpoint: Endpoint, block: bytes, position: Position | None) -> None:
        with self._lock:
            if self._stop.is_set():
                return
            try:
                taken = self._show(block) if block else 0
                if position is not None:
                    left = len(block) - taken
                    self._positions[str(endpoint)] = replace(position, offset=position.offset - left)
                    self._save_now_and_then()
            except BrokenPipeError:
                self._stop.set()  # `| head` has ended
            except Exception as error:  # the reader would mistake an OSError for one of its connection
                self.failure = error
                self._stop.set()

    def save_bookmark(self) -> None:
        """Raises BookmarkError."""
        if self._bookmark is not None and self._positions != self._saved:
            self._saved = dict(self._positions)
            self._bookmark.save(self._saved)

    def _save_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._saved_at >= _BOOKMARK_SECONDS:
            self._saved_at = now
            self.save_bookmark()

    def _show(self, block: bytes) -> int:
        """Write the selected lines of a block; returns how many of its bytes are processed."""
        taken = self._pass_through(block) if self._wanted.everything_as_it_came else self._pick(block)
        if self.enough:
            self._stop.set()
        return taken

    def _pass_through(self, block: bytes) -> int:
        count, end = self._wanted.count, len(block)
        if count is not None:
            lines = block.count(b"\n")
            while lines > count - self.shown:
                end = block.rfind(b"\n", 0, end - 1) + 1
                lines -= 1
            self.shown += lines
        self._write(block[:end])
        return end

    def _pick(self, block: bytes) -> int:
        output, taken = [], 0
        for line in block.split(b"\n")[:-1]:
            if self.enough:
                break
            taken += len(line) + 1
            event = view(line)
            wanted = self._wanted.filter.matches(event, line) if event else not self._wanted.filter
            if self._wanted.stats is not None:
                self._wanted.stats.add(event, wanted)
            elif wanted:
                output.append(self._wanted.render(line, event))
            self.shown += wanted
        if output:
            self._write(b"".join(output))
        return taken
