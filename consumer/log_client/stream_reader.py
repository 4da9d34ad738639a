"""Reads one endpoint until it is stopped: connects, resumes, reconnects with backoff and jitter."""

from __future__ import annotations

import random
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential_jitter,
)

from consumer.log_client.bookmark import Position
from consumer.log_client.framing import LineAssembler
from consumer.log_client.outage import Outage
from consumer.log_client.stream_connection import open_connection, resume
from producer.endpoint import Endpoint
from producer.protocol import ResumeAnswer, ResumeRequest

# Larger chunks are slower: from 128 KiB on, malloc maps and unmaps fresh pages for each.
_CHUNK_BYTES = 96 * 1024
_POLL_SECONDS = 0.2  # how often a silent connection checks for a stop
_BACKOFF_SECONDS = 0.2
_BACKOFF_MAX_SECONDS = 15.0


class Sink(Protocol):
    """Receives whole lines; `position` is where the log continues after them (None for a plain stream)."""

    def __call__(self, endpoint: Endpoint, block: bytes, position: Position | None) -> None: ...


@dataclass(frozen=True)
class ReadSettings:
    """How to read an endpoint. `resume` None: a plain client, which sends nothing."""

    resume: ResumeRequest | None = None
    reconnect: bool = True
    tls: ssl.SSLContext | None = None


class StreamReader:
    """One endpoint. `say` is called with sentences for stderr; `stop` ends everything within a second."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: ReadSettings,
        sink: Sink,
        stop: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self.endpoint = endpoint
        self.overlong = 0
        self.torn = 0
        self._settings = settings
        self._request = settings.resume
        self._sink = sink
        self._stop = stop
        self._say = say
        self._outage = Outage(str(endpoint), say)
        self._received = False

    def run(self) -> None:
        """Read until `stop`; with reconnect=False until the stream ends.

        Raises StreamError if a new try would not help, OSError if the only try failed.
        """
        if not self._settings.reconnect:
            self._session()
            return
        while not self._stop.is_set():
            try:
                # A new one for each outage: the backoff starts small again after a connection that worked.
                self._retrying()(self._session)
            except OSError:
                if not self._stop.is_set():
                    raise
            self._stop.wait(random.uniform(0, _BACKOFF_SECONDS))  # noqa: S311  # jitter, no secret

    def _retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(OSError),
            wait=wait_exponential_jitter(_BACKOFF_SECONDS, _BACKOFF_MAX_SECONDS, jitter=_BACKOFF_SECONDS),
            stop=stop_when_event_set(self._stop),
            sleep=sleep_using_event(self._stop),
            before_sleep=self._tell_outage,
            reraise=True,
        )

    def _session(self) -> None:
        """One connection. Returns at its end if it delivered lines; otherwise raises OSError."""
        self._received = False
        try:
            with open_connection(self.endpoint, self._settings.tls) as connection:
                self._read(connection)
            ended = "the server closed the connection"
        except OSError as error:
            if not (self._received and self._settings.reconnect):
                raise
            ended = reason(error)
        if self._settings.reconnect and not self._stop.is_set():
            if not self._received:
                raise ConnectionResetError(f"{ended} before the first event")
            self._outage.begin(ended)

    def _read(self, connection: socket.socket) -> None:
        log_id, start, chunk = "", 0, b""
        if self._request is not None:
            answer, chunk = resume(connection, self.endpoint, self._request)
            self._tell_answer(self._request, answer)
            log_id, start = answer.log_id, answer.offset
        assembler = LineAssembler()
        connection.settimeout(_POLL_SECONDS)
        try:
            while not self._stop.is_set():
                block = assembler.feed(chunk)
                self._deliver(block, Position(log_id, start + assembler.position) if log_id else None)
                try:
                    chunk = connection.recv(_CHUNK_BYTES)
                except TimeoutError:
                    chunk = b""
                    continue
                if not chunk:
                    return
        finally:
            self.overlong += assembler.overlong
            self.torn += assembler.has_rest and not self._stop.is_set()

    def _deliver(self, block: bytes, position: Position | None) -> None:
        if position is not None and self._request is not None:
            self._request = replace(self._request, log_id=position.log_id, offset=position.offset)
        if block:
            self._received = True
            self._outage.end()
        if block or position:
            self._sink(self.endpoint, block, position)

    def _tell_answer(self, request: ResumeRequest, answer: ResumeAnswer) -> None:
        if answer.status == "gap":
            self._say(f"{self.endpoint}: {answer.lost_bytes:,} bytes of events are lost, no longer kept")
        elif answer.follows:
            if answer.lost_bytes:
                self._say(
                    f"{self.endpoint}: {answer.lost_bytes:,} bytes of events are lost, its log was cut back"
                )
        elif answer.status == "new-log" and request.log_id is not None:
            self._say(f"{self.endpoint}: it now has another log, {answer.log_id}, not {request.log_id}")

    def _tell_outage(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._outage.begin(reason(error))


def reason(error: BaseException | None) -> str:
    """Why a connection failed, in words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or "the connection broke"
