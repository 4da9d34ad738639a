"""One connected client: reads its request, then copies the log to its socket from its own cursor."""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from producer.event_log import EventLog, TrimmedError
from producer.protocol import GRACE_SECONDS, MAX_REQUEST_BYTES, ProtocolError, ResumeAnswer, ResumeRequest
from producer.resume import answer_to

_log = logging.getLogger("producer.client")

_REQUEST_SECONDS = 2.0  # for a request that has begun within the grace
SLOW_CLIENT_POLICIES = ("disconnect", "skip", "block")
_HANDSHAKE_SECONDS = 5.0
_SEND_BYTES = 1024 * 1024
_LINGER_SECONDS = 1.0
_LOOK_SECONDS = 0.5  # how often a blocked or idle client looks for a stop, for trimming, for a dead peer


@dataclass(frozen=True)
class ClientSettings:
    """`heartbeat` and `user_timeout` in seconds; `slow_client` is one of SLOW_CLIENT_POLICIES.

    The user timeout cuts a client that accepts nothing for so long, alive or not. It is generous because a
    reader under back-pressure (a bridge whose broker is away) is a good client.
    """

    heartbeat: float = 15.0
    user_timeout: float = 300.0
    slow_client: str = "disconnect"
    tls: ssl.SSLContext | None = None


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
        gone: Callable[[Client, str], None],
        plain_start: Callable[[Client], int | None] = lambda client: None,
    ) -> None:
        """`gone` hears the reason of the end, `plain_start` knows where a returning client goes on."""
        self._socket, self._log, self._settings = connection, log, settings
        self._tell_gone, self._plain_start = gone, plain_start
        self.address = address
        self.offset = log.end  # at accept: a plain client misses nothing while its grace runs
        self.is_resuming = False
        self.is_served = False
        self.refusal = ""
        self.sent_bytes = 0
        self._deadline: float | None = None
        self._cut = threading.Event()

    @property
    def ip(self) -> str:
        return self.address.rpartition(":")[0]

    def is_plain_from(self, ip: str) -> bool:
        return self.is_served and not self.is_resuming and self.ip == ip

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
        except ConnectionError:
            reason = "closed by the client"
        except OSError as error:
            _log.warning("%s: %s", self.address, error)
        finally:
            self._close()
            self._tell_gone(self, reason)
        level = logging.WARNING if reason in ("too slow", "timed out") else logging.INFO
        _log.log(level, "%s: %s, after %d bytes", self.address, reason, self.sent_bytes)

    def _prepare(self) -> None:
        option = self._socket.setsockopt
        option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        option(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        option(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        option(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._settings.user_timeout * 1000))
        if self._settings.tls:
            self._shake_hands(self._settings.tls)

    def _shake_hands(self, context: ssl.SSLContext) -> None:
        self._socket.settimeout(_HANDSHAKE_SECONDS)
        try:
            self._socket = context.wrap_socket(self._socket, server_side=True)
        except OSError as error:
            raise GoneError("TLS handshake failed") from error

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
            self._continue_plain()
            self._send_words(b"\n")
        self._socket.settimeout(_LOOK_SECONDS)
        self.is_served = True

    def _continue_plain(self) -> None:
        if (earlier := self._plain_start(self)) is not None:
            self.offset = self._log.line_start(max(earlier, 0))
            if self.offset > earlier:
                _log.warning("%s: comes back too late, lost %d bytes", self.address, self.offset - earlier)

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
            if self._poll(0):
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
        except TimeoutError as error:
            if error.errno == errno.ETIMEDOUT:
                raise GoneError("timed out") from error
            return 0
        self.sent_bytes += taken
        return taken

    def is_leaving(self) -> bool:
        """The peer has closed its side, or the connection is dead: for a plain client that is a good-bye."""
        return self._poll(select.POLLRDHUP)

    def _poll(self, events: int) -> bool:
        try:
            poll = select.poll()
            poll.register(self._socket, events)  # errors and hang-ups are always reported
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True  # closed by its own thread in between

    def _close(self) -> None:
        """FIN after the last byte. Unread input would turn it into a reset that eats the last answer."""
        with contextlib.suppress(OSError):
            self._socket.settimeout(0.1)
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.unwrap()
            self._socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _LINGER_SECONDS
            while time.monotonic() < deadline and not self._cut.is_set():
                try:
                    if not self._socket.recv(65536):
                        break
                except TimeoutError:
                    break
        self._socket.close()
