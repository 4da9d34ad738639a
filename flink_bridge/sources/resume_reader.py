"""Reads the log of a win-event-producer from a position on, in a thread, through every kind of interruption.

This file, resume_source and what they import travel to the TaskManagers: standard library and tenacity only.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import tenacity

from producer.endpoint import Endpoint
from producer.protocol import (
    MAX_ANSWER_BYTES,
    Offset,
    ProtocolError,
    ResumeAnswer,
    ResumeRequest,
)

LOG = logging.getLogger(__name__)
MAX_UNBROKEN = 1 << 20
"""Bytes without LF after which a line is handed on in pieces, so that memory stays bounded."""


class GapError(RuntimeError):
    """The server no longer has what comes next, and --on-gap says to fail."""


@dataclass(frozen=True)
class Position:
    """A place in a log: the next byte to read. `log_id` None: whatever log the server has."""

    log_id: str | None
    offset: Offset

    def encode(self) -> str:
        return f"{self.log_id or '-'} {self.offset}"

    @classmethod
    def decode(cls, text: str) -> Position:
        log_id, _, offset = text.partition(" ")
        number = int(offset) if offset.isdecimal() else cast(Literal["earliest", "latest"], offset)
        return cls(None if log_id == "-" else log_id, number)


@dataclass(frozen=True)
class ReaderSettings:
    """How to reach one producer. Times in seconds, sizes in bytes."""

    endpoint: Endpoint
    start: Literal["earliest", "latest"] = "earliest"
    fail_on_gap: bool = False
    tls: bool = False
    tls_ca_file: str | None = None
    connect_timeout: float = 10.0
    answer_timeout: float = 10.0
    max_backoff: float = 10.0
    buffer_bytes: int = 8 << 20


@dataclass(frozen=True)
class Block:
    """Whole lines without the last LF, and the position after them."""

    lines: bytes
    end: Position


@dataclass
class ReaderStatistics:
    """What the operator shows as metrics; only ever written by the reader's thread."""

    connected: int = 0
    reconnects: int = 0
    gaps: int = 0
    lost_bytes: int = 0
    position: Position = field(default_factory=lambda: Position(None, 0))


class LogReader:
    """Keeps a connection to the producer and up to `buffer_bytes` of lines ready to be taken."""

    def __init__(self, settings: ReaderSettings, start: Position) -> None:
        self.statistics = ReaderStatistics(position=start)
        self._settings = settings
        self._position = start
        self._blocks: deque[Block] = deque()
        self._buffered = 0
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"read {settings.endpoint}", daemon=True)
        self._thread.start()

    def take(self, timeout: float) -> Block | None:
        """The next block, waiting up to `timeout` seconds for it. Raises GapError as the settings demand."""
        with self._changed:
            if not self._blocks:
                self._changed.wait(timeout)
            if self._blocks:
                block = self._blocks.popleft()
                self._buffered -= len(block.lines)
                self._changed.notify_all()
                return block
            if self._failure is not None:
                raise self._failure
            return None

    def close(self) -> None:
        """Stop at once, whatever the thread is waiting for."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=1)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._attempts()(self._read_one_connection)
        except tenacity.RetryError:  # stopped while waiting to reconnect
            return
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _attempts(self) -> tenacity.Retrying:
        """Reconnects for ever; a wait ends at once when the reader is closed."""
        return tenacity.Retrying(
            wait=tenacity.wait_random_exponential(multiplier=0.5, min=0.05, max=self._settings.max_backoff),
            retry=tenacity.retry_if_exception_type((OSError, ProtocolError)),
            stop=tenacity.stop_when_event_set(self._stopped),
            sleep=tenacity.sleep_using_event(self._stopped),
            before_sleep=self._tell,
        )

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        LOG.warning(
            "%s: %s; next attempt in %.1f s, from %s",
            self._settings.endpoint,
            error,
            state.upcoming_sleep,
            self._position.encode(),
        )

    def _read_one_connection(self) -> None:
        """Returns when a connection that brought something has ended, so that the backoff starts anew."""
        with self._connect() as connection:
            self._socket = connection
            if self._stopped.is_set():  # closed while connecting, when there was no socket to shut down
                return
            before = self._position
            try:
                rest = self._resume(connection)
                self.statistics.connected = 1
                for data in _received(connection, rest):
                    if not self._put(data):
                        return
            except OSError as error:
                if self._position == before:
                    raise
                LOG.warning("%s: %s; reconnecting", self._settings.endpoint, error)
            finally:
                self.statistics.connected = 0
                self.statistics.reconnects += 1
                self._socket = None
        if self._position == before and not self._stopped.is_set():
            raise ConnectionError("the producer closed the connection without sending anything")

    def _connect(self) -> socket.socket:
        endpoint = self._settings.endpoint
        connection = socket.create_connection((endpoint.host, endpoint.port), self._settings.connect_timeout)
        # A dead peer is noticed in 30 s: a resuming connection carries no heartbeats.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if not self._settings.tls:
            return connection
        context = ssl.create_default_context(cafile=self._settings.tls_ca_file)
        return context.wrap_socket(connection, server_hostname=endpoint.host)

    def _resume(self, connection: socket.socket) -> bytes:
        """Ask for the log from our position on; returns what already came after the answer."""
        strict = self._settings.fail_on_gap and self._position.log_id is not None
        connection.settimeout(self._settings.answer_timeout)
        request = ResumeRequest(self._position.log_id, self._position.offset, strict)
        connection.sendall(request.encode())
        line, rest = _first_line(connection)
        answer = ResumeAnswer.decode(line)
        connection.settimeout(None)
        self._accept(answer)
        return rest

    def _accept(self, answer: ResumeAnswer) -> None:
        if answer.status == "error":
            raise GapError(f"{self._settings.endpoint}: the producer refuses: {answer.reason}")
        position = Position(answer.log_id, answer.offset)
        if answer.status != "ok" and self._position.log_id is not None:
            self.statistics.gaps += 1
            self.statistics.lost_bytes += answer.lost_bytes
            LOG.error(
                "%s: %s: asked for %s, continues at %s, %d bytes are lost",
                self._settings.endpoint,
                "GAP" if answer.status == "gap" else "ANOTHER LOG",
                self._position.encode(),
                position.encode(),
                answer.lost_bytes,
            )
        LOG.info("%s: connected, reading from %s", self._settings.endpoint, position.encode())
        self._position = self.statistics.position = position

    def _put(self, block: bytes) -> bool:
        """Queue one block of whole lines, waiting for room. False when the reader was closed."""
        offset = cast(int, self._position.offset) + len(block)
        position = replace(self._position, offset=offset)
        with self._changed:
            while self._buffered > self._settings.buffer_bytes and not self._stopped.is_set():
                self._changed.wait()
            if self._stopped.is_set():
                return False
            self._blocks.append(Block(block.removesuffix(b"\n"), position))
            self._buffered += len(block)
            self._position = self.statistics.position = position
            self._changed.notify_all()
        return True


def _first_line(connection: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\n" not in received:
        data = connection.recv(4096)
        if not data:
            raise ConnectionError("the producer closed the connection before it answered")
        received += data
        if len(received.partition(b"\n")[0]) > MAX_ANSWER_BYTES:
            raise ProtocolError(f"not an answer to RESUME: {received[:80]!r}")
    line, _, rest = received.partition(b"\n")
    return line, rest


def _received(connection: socket.socket, rest: bytes) -> Iterator[bytes]:
    """Whole lines with their LFs, as many as there are; the unfinished last one is never handed on."""
    buffer = memoryview(bytearray(1 << 18))
    while True:
        cut = rest.rfind(b"\n") + 1 or (len(rest) if len(rest) > MAX_UNBROKEN else 0)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
        count = connection.recv_into(buffer)
        if not count:
            return
        rest += buffer[:count]
