"""One connected client: reads its request, then copies the log to its socket from its own cursor."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from producer.log.event_log import EventLog, TrimmedError
from producer.protocol import ProtocolError, ResumeAnswer, ResumeRequest
from producer.serving.connection import LOOK_SECONDS, Connection, GoneError
from producer.serving.resume import answer_to

_log = logging.getLogger("producer.serving.client")

SLOW_CLIENT_POLICIES = ("disconnect", "skip", "block")
# Why connections end, as the metrics name it.
REASONS = (
    "bad request",
    "cannot resume",
    "closed by the client",
    "cut off by the stop",
    "error",
    "refused",
    "served to the end",
    "timed out",
    "TLS handshake failed",
    "too slow",
)


@dataclass(frozen=True)
class ClientSettings:
    """The settings for each client.

    `heartbeat` and `user_timeout` in seconds; `slow_client` is one of SLOW_CLIENT_POLICIES. The user timeout
    disconnects a client that accepts nothing for so long, even a live one. It is long, because a reader under
    back-pressure (a bridge whose broker is away) is a good client.
    """

    heartbeat: float = 15.0
    user_timeout: float = 300.0
    slow_client: str = "disconnect"
    tls: ssl.SSLContext | None = None


class Client:
    """A client and its cursor.

    `run` is the body of the client's thread; `offset` is the cursor, which other threads may read.
    """

    def __init__(
        self,
        connection: Connection,
        address: str,
        log: EventLog,
        settings: ClientSettings,
        gone: Callable[[Client, str], None],
        plain_start: Callable[[Client], int | None] = lambda client: None,
        served: Callable[[Client], None] = lambda client: None,
    ) -> None:
        """`gone` is called at the end, with the reason; `served` before a plain client gets its first byte.

        `plain_start` returns where a plain client continues that was here before.
        """
        self._connection, self._log, self._settings = connection, log, settings
        self._tell_gone, self._plain_start, self._tell_served = gone, plain_start, served
        self.address = address
        self.offset = log.end  # the end at accept: a plain client misses nothing during its grace period
        self.is_resuming = False
        self.is_served = False
        self.has_left = False  # its position is stored for --plain-resume
        self.refusal = ""
        self._deadline: float | None = None
        self._cut = threading.Event()

    @property
    def ip(self) -> str:
        return self.address.rpartition(":")[0]

    def is_plain_from(self, ip: str) -> bool:
        return self.is_served and not self.is_resuming and self.ip == ip

    def finish(self, deadline: float) -> None:
        """Serve up to the current end of the log, but not longer than until `deadline` (monotonic)."""
        self._deadline = deadline

    def cut(self) -> None:
        """End the connection now."""
        self._cut.set()
        self._connection.cut()

    def is_leaving(self) -> bool:
        """The peer has closed its side, or is dead."""
        return self._connection.is_leaving()

    @property
    def sent_bytes(self) -> int:
        return self._connection.sent_bytes

    def run(self) -> None:
        reason = "error"
        try:
            self._connection.open(self._settings.user_timeout, self._settings.tls)
            self._begin()
            self._stream()
        except GoneError as gone:
            reason = str(gone)
        except ConnectionError:
            reason = "closed by the client"
        except OSError as error:
            _log.warning("%s: %s", self.address, error)
        finally:
            self._connection.close()
            self._tell_gone(self, reason)
        level = logging.WARNING if reason in ("too slow", "timed out") else logging.INFO
        _log.log(level, "%s: %s, after %d bytes", self.address, reason, self.sent_bytes)

    def _begin(self) -> None:
        """Read the client's request, set the cursor, send the answer."""
        try:
            request = self._connection.read_request()
        except ProtocolError as error:
            self._send_words(ResumeAnswer("error", reason=str(error), code="bad-request").encode())
            raise GoneError("bad request") from error
        if self.refusal:
            if request:
                self._send_words(ResumeAnswer("error", reason=self.refusal, code="busy").encode())
            raise GoneError("refused")
        if request:
            self._resume(request)
        else:
            self._continue_plain()
            self.is_served = True
            self._tell_served(self)
            self._send_words(b"\n")
        self.is_served = True

    def _continue_plain(self) -> None:
        if (earlier := self._plain_start(self)) is not None:
            self.offset = self._log.line_start(max(earlier, 0))
            if self.offset > earlier:
                _log.warning("%s: returned too late, lost %d bytes", self.address, self.offset - earlier)

    def _resume(self, request: ResumeRequest) -> None:
        log = self._log
        answer = answer_to(request, log.log_id, log.start, log.end, log.earlier)
        self.is_resuming, self.offset = True, answer.offset
        self._send_words(answer.encode())
        if answer.status == "error":
            raise GoneError("cannot resume")

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
            if self._connection.is_dead():
                raise GoneError("closed by the client")
            if not self.is_resuming and time.monotonic() - idle_since >= self._settings.heartbeat:
                self._send_words(b"\n")
                idle_since = time.monotonic()

    def _heartbeat_in(self, idle_since: float) -> float:
        if self._deadline is not None:
            return 0.0
        left = idle_since + self._settings.heartbeat - time.monotonic()
        return LOOK_SECONDS if self.is_resuming else min(max(left, 0.0), LOOK_SECONDS)

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
        """Send bytes of the log; the cursor moves by what the socket has accepted."""
        while view:
            taken = self._send_some(view)
            self.offset += taken
            view = view[taken:]
            if self.offset < self._log.start and self._settings.slow_client != "skip":
                raise GoneError("too slow")

    def _send_words(self, words: bytes) -> None:
        """Send something that is not part of the log: an answer, a heartbeat."""
        view = memoryview(words)
        while view:
            view = view[self._send_some(view) :]

    def _send_some(self, view: memoryview) -> int:
        if self._cut.is_set() or (self._deadline is not None and time.monotonic() > self._deadline):
            raise GoneError("cut off by the stop")
        return self._connection.send_some(view)
