"""Follows one or several endpoints, a thread each, until the end that the settings give."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from consumer.log_client.bookmark import BookmarkFile
from consumer.log_client.stream_connection import StreamError
from consumer.log_client.stream_reader import ReadSettings, StreamReader, reason
from consumer.tail.event_sink import EventSink, Wanted, Write
from producer.endpoint import Endpoint
from producer.protocol import ResumeRequest

_TICK_SECONDS = 0.2
_END_SECONDS = 2.0  # wait for a reader that is inside a write


@dataclass(frozen=True)
class TailSettings:
    """The settings of a run.

    `count` in `wanted` and `duration` (seconds) end the run; with None, it does not end by itself.
    """

    endpoints: tuple[Endpoint, ...]
    reading: ReadSettings = field(default_factory=ReadSettings)
    wanted: Wanted = field(default_factory=Wanted)
    duration: float | None = None
    bookmark: BookmarkFile | None = None
    from_start: bool = False
    strict: bool = False


class Tail:
    """One run. `say` is called with sentences for stderr, `write` with the events."""

    def __init__(self, settings: TailSettings, write: Write, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._stop = threading.Event()
        self._sink = EventSink(settings.wanted, write, self._stop, settings.bookmark)
        self._failures: list[StreamError] = []
        self._readers = [self._reader(endpoint) for endpoint in settings.endpoints]

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Run until the end. `tick` is called a few times a second.

        Raises StreamError if an endpoint cannot be read, BookmarkError, and OSError if writing fails.
        """
        threads = [
            threading.Thread(target=self._follow, args=(reader,), daemon=True) for reader in self._readers
        ]
        for thread in threads:
            thread.start()
        try:
            self._wait(threads, tick)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(_END_SECONDS)
            self._sink.save_bookmark()
        self._raise_failure()

    def notes(self) -> list[str]:
        """Sentences about lines that were left out, for stderr."""
        overlong = sum(reader.overlong for reader in self._readers)
        torn = sum(reader.torn for reader in self._readers)
        notes = [f"{overlong:,} lines over the limit skipped"] if overlong else []
        return notes + ([f"{torn:,} lines torn by a lost connection dropped"] if torn else [])

    def _wait(self, threads: list[threading.Thread], tick: Callable[[], None]) -> None:
        duration = self._settings.duration
        deadline = float("inf") if duration is None else time.monotonic() + duration
        while any(thread.is_alive() for thread in threads):
            left = deadline - time.monotonic()
            if left <= 0 or self._stop.wait(min(left, _TICK_SECONDS)):
                return
            tick()
        count = self._settings.wanted.count
        if count is not None and not self._sink.enough and not self._failures:
            raise StreamError(f"the stream ended after {self._sink.shown} of {count} events")

    def _raise_failure(self) -> None:
        if self._sink.failure is not None:
            raise self._sink.failure
        if self._failures:
            raise self._failures[0]

    def _reader(self, endpoint: Endpoint) -> StreamReader:
        settings = replace(self._settings.reading, resume=self._request(endpoint))
        return StreamReader(endpoint, settings, self._sink, self._stop, self._say)

    def _request(self, endpoint: Endpoint) -> ResumeRequest | None:
        settings = self._settings
        stored = settings.bookmark.get(str(endpoint)) if settings.bookmark else None
        if stored is not None:
            return ResumeRequest(stored.log_id, stored.offset, settings.strict)
        if settings.bookmark is None and not settings.from_start:
            return None
        return ResumeRequest(None, "earliest" if settings.from_start else "latest", settings.strict)

    def _follow(self, reader: StreamReader) -> None:
        try:
            reader.run()
        except StreamError as error:
            self._give_up(error)
        except OSError as error:
            self._give_up(StreamError(f"{reader.endpoint}: {reason(error)}"))

    def _give_up(self, error: StreamError) -> None:
        self._failures.append(error)
        if len(self._readers) > 1:
            self._say(f"{error}; the other endpoints continue")
