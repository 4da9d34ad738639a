"""Polls one service and keeps its last answer, or the reason why there is none now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Generic, TypeVar

_log = logging.getLogger("console.poller")
Answer = TypeVar("Answer")
STOP_SECONDS = 5.0  # a thread that waits for an answer when the console ends is left behind
_SILENCE = 5.0  # seconds after which a service that has not answered yet counts as away


class AwayError(Exception):
    """The service does not answer; the text is one line that says what was tried and why it failed."""


class LateError(AwayError):
    """The service has not answered in time: it may have done what it was asked, or do it later."""


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
        self._found: Found[Answer] = Found()
        self._asked: float | None = None  # when the question was asked that has no answer yet
        self._read, self._interval = read, interval
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=f"console-{name}", daemon=True)

    @property
    def found(self) -> Found[Answer]:
        """While an answer is late, this is a problem, too: the last answer is old then."""
        found, asked = self._found, self._asked
        if found.problem is None and asked is not None and time.monotonic() > asked + _SILENCE:
            return replace(found, problem=f"no answer for {_SILENCE:.0f} s")
        return found

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._asked = began = time.monotonic()
            try:
                self._found = Found(self._read(), time.time(), None)
            except AwayError as error:
                self._found = Found(self._found.answer, self._found.at, str(error))
            except (
                Exception
            ) as error:  # a fault of ours: without this thread, the page would show "up" for ever
                _log.exception("%s", self._thread.name)
                self._found = Found(self._found.answer, self._found.at, repr(error))
            self._asked = None
            self._stopping.wait(max(0.1, self._interval - (time.monotonic() - began)))
