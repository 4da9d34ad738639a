"""Polls one service and keeps its last answer, or the reason why there is none now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Generic, TypeVar

_log = logging.getLogger("console.poller")
Answer = TypeVar("Answer")
STOP_SECONDS = 5.0


class AwayError(Exception):
    """The service does not answer; the text is one line that says what was tried and why it failed."""


@dataclass(frozen=True)
class Found(Generic[Answer]):
    """The last answer of a service.

    `problem` None: the answer is fresh. Otherwise `answer` is the last one, from `at`, or None.
    """

    answer: Answer | None = None
    at: float | None = None
    problem: str | None = "not asked yet"


class Poller(Generic[Answer]):
    """Runs from start() to stop(); `read` raises AwayError."""

    def __init__(self, name: str, read: Callable[[], Answer], interval: float = 1.0) -> None:
        self.found: Found[Answer] = Found()
        self._read, self._interval = read, interval
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=f"console-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self.found = Found(self._read(), time.time(), None)
            except AwayError as error:
                self.found = Found(self.found.answer, self.found.at, str(error))
            except (
                Exception
            ) as error:  # a fault of ours: without this thread, the page would show "up" for ever
                _log.exception("%s", self._thread.name)
                self.found = Found(self.found.answer, self.found.at, repr(error))
            self._stopping.wait(max(0.1, self._interval - (time.monotonic() - began)))
