"""One connected client: reads its request, then copies the log to its socket from its own cursor."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from producer.event_log import EventLog, TrimmedError
from producer.protocol import GRACE_SECONDS, MAX_REQUEST_BYTES, ProtocolError, ResumeAnswer, ResumeRequest
from producer.resume import answer_to

_log = logging.getLogger("producer.client")

_REQUEST_SECONDS = 2.0  # for a request that has begun within the grace
_SEND_BYTES = 1024 * 1024
_LINGER_SECONDS = 1.0
_LOOK_SECONDS = 0.5  # how often a blocked or idle client looks for a stop, for trimming, for a dead peer


@dataclass(frozen=True)
class ClientSettings:
    """Seconds; `slow_client` is disconnect, skip or block."""

    heartbeat: float = 15.0
    user_timeout: float = 300.0
    slow_client: str = "disconnect"


class GoneError(Exception):
    """The conversation is over; the text says why, in the words of the metrics."""


class Client:
    """`run` is the client thread's body; `offset` is the cursor, for others to look at."""

    def __init__(
        self,
        connection: socket.socket,
        address: str,
        log: EventLog,
        settings: ClientSettings,
        gone: Callable[[Client], None],
    ) -> None:
        self._socket, self._log, self._settings, self._tell_gone = connection, log, settings, gone
        self.address = address
        self.offset = log.end  # at accept: a plain client misses nothing while its grace runs
        self.is_resuming = False
        self.is_served = False
        self.refusal = ""
        self.sent_bytes = 0
        self._deadline: float | None = None
        self._cut = threading.Event()

    def finish(self, deadline: float) -> None:
        """Serve up to the end of the log as it is, at the latest until `deadline` (monotonic)."""
        self._deadline = deadline

    def cut(self) -> None:
        """End the conversation now."""
        self._cut.set()
        with contextlib.suppress(OSError):  # it may have ended itself
            self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        reason = "error"
        try:
            self._prepare()
            self._begin()
            self._stream()
        except GoneError as gone:
            reason = str(gone)
        except (ConnectionError, TimeoutError):
            reason = "closed by the client"
        except OSError as error:
            reason = error.strerror or "error"
        finally:
            self._close()
            self._tell_gone(self)
        _log.info("%s: %s after %d bytes", self.address, reason, self.sent_bytes)

    def _prepare(self) -> None:
        option = self._socket.setsockopt
        option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        option(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        option(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        option(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._settings.user_timeout * 1000))

    def _begin(self) -> None:
        """Find out what the client wants, place the cursor, send what comes first."""
        try:
            request = self._read_request()
        except ProtocolError as error:
            self._send_words(ResumeAnswer("error", reason=str(error)).encode())
            raise GoneError("bad request") from error
        if self.refusal:
            if request:
                self._send_words(ResumeAnswer("error", reason=self.refusal).encode())
            raise GoneError("refused")
        if request:
            self._resume(request)
        else:
            self._send_words(b"\n")
        self._socket.settimeout(_LOOK_SECONDS)
        self.is_served = True

    def _resume(self, request: ResumeRequest) -> None:
        answer = answer_to(request, self._log.log_id, self._log.start, self._log.end)
        self.is_resuming, self.offset = True, answer.offset
        self._send_words(answer.encode())
        if answer.status == "error":
            raise GoneError("cannot resume")

    def _read_request(self) -> ResumeRequest | None:
        """The request, or None for a client that says nothing within the grace."""
        received, deadline = b"", time.monotonic() + GRACE_SECONDS
        while b"\n" not in received:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                piece = self._socket.recv(MAX_REQUEST_BYTES + 1 - len(received))
            except TimeoutError:
                if not received:
                    return None
                raise ProtocolError("the request line did not end in time") from None
            if not piece and not received:
                return None  # half-closed: it only listens
            if not received:
                deadline += _REQUEST_SECONDS
            received += piece
            if not piece or len(received) > MAX_REQUEST_BYTES:
                raise ProtocolError(f"no request line within {MAX_REQUEST_BYTES} bytes")
        return ResumeRequest.decode(received[: received.index(b"\n") + 1])

    def _stream(self) -> None:
        idle_since = time.monotonic()
        while True:
            view = self._read()
            if view:
                self._send_log(view)
                idle_since = time.monotonic()
                continue
            if self._deadline is not None:
                raise GoneError("served to the end")
            if self._log.wait(self.offset, self._heartbeat_in(idle_since)):
                continue
            if self._is_dead():
                raise GoneError("closed by the client")
            if not self.is_resuming and time.monotonic() - idle_since >= self._settings.heartbeat:
                self._send_words(b"\n")
                idle_since = time.monotonic()

    def _heartbeat_in(self, idle_since: float) -> float:
        if self._deadline is not None:
            return 0.0
        left = idle_since + self._settings.heartbeat - time.monotonic()
        return _LOOK_SECONDS if self.is_resuming else min(max(left, 0.0), _LOOK_SECONDS)

    def _read(self) -> memoryview:
        try:
            return self._log.read(self.offset)
        except TrimmedError as trimmed:
            if self._settings.slow_client == "skip" and not self.is_resuming:
                _log.warning("%s: too slow, skipped %d bytes", self.address, trimmed.start - self.offset)
                self.offset = trimmed.start
                return self._log.read(self.offset)
            raise GoneError("too slow") from None

    def _send_log(self, view: memoryview) -> None:
        """Send bytes of the log; the cursor follows what the socket has taken."""
        while view:
            taken = self._send_some(view)
            self.offset += taken
            view = view[taken:]
            if self.offset < self._log.start and self._settings.slow_client != "skip":
                raise GoneError("too slow")

    def _send_words(self, words: bytes) -> None:
        """Send what is not part of the log: an answer, a heartbeat."""
        view = memoryview(words)
        while view:
            view = view[self._send_some(view) :]

    def _send_some(self, view: memoryview) -> int:
        """Bytes that the socket took; 0 when it took none for a while."""
        if self._cut.is_set() or (self._deadline is not None and time.monotonic() > self._deadline):
            raise GoneError("cut off by the stop")
        try:
            taken = self._socket.send(view[:_SEND_BYTES])
        except TimeoutError:
            return 0
        self.sent_bytes += taken
        return taken

    def _is_dead(self) -> bool:
        poll = select.poll()
        poll.register(self._socket, 0)  # errors and hang-ups are always reported
        return bool(poll.poll(0))

    def _close(self) -> None:
        """FIN after the last byte. Unread input would turn it into a reset that eats the last answer."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(0.1)
            deadline = time.monotonic() + _LINGER_SECONDS
            while time.monotonic() < deadline and not self._cut.is_set():
                try:
                    if not self._socket.recv(65536):
                        break
                except TimeoutError:
                    break
        self._socket.close()
