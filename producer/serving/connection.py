"""The socket of one client: options, TLS, its request, sending in pieces, a clean end."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import ssl
import struct
import time

from producer.protocol import GRACE_SECONDS, KEEPALIVE, MAX_REQUEST_BYTES, ProtocolError, ResumeRequest

LOOK_SECONDS = 0.5  # how often a blocked or idle client checks for a stop, for trimming, for a dead peer

_REQUEST_SECONDS = 2.0  # for the rest of a request that has begun within the grace: it is one packet
_HANDSHAKE_SECONDS = 60.0
_SEND_BYTES = 1024 * 1024
_LINGER_SECONDS = 1.0
_PEER_CLOSED = getattr(select, "POLLRDHUP", 0)  # Linux; elsewhere a peer that closed one side is found later


class GoneError(Exception):
    """The connection is over; the text says why, as the metrics name it."""


class Connection:
    """Blocks for LOOK_SECONDS at most once it is open. Raises GoneError or OSError when the peer is gone."""

    def __init__(self, peer: socket.socket) -> None:
        self._socket = peer
        self.sent_bytes = 0

    def open(self, user_timeout: float, tls: ssl.SSLContext | None) -> None:
        """Set the options that find dead peers, and shake hands. `user_timeout` in seconds."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in (*KEEPALIVE, ("TCP_USER_TIMEOUT", int(user_timeout * 1000))):
            if hasattr(socket, name):  # Linux has all of them
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if tls:
            self._socket.settimeout(_HANDSHAKE_SECONDS)
            try:
                self._socket = tls.wrap_socket(self._socket, server_side=True)
            except OSError as error:
                raise GoneError("TLS handshake failed") from error

    def read_request(self) -> ResumeRequest | None:
        """The request, or None for a client that sends nothing within the grace period.

        Raises ProtocolError.
        """
        try:
            return self._read_request()
        finally:
            self._limit_sending()

    def _limit_sending(self) -> None:
        """Let the kernel end a send after LOOK_SECONDS: Python's own timeout is a poll before every send."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(LOOK_SECONDS)
            return
        self._socket.settimeout(None)
        seconds, rest = divmod(LOOK_SECONDS, 1.0)
        self._socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", int(seconds), int(rest * 1e6))
        )

    def _read_request(self) -> ResumeRequest | None:
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
                return None  # half-closed: it only receives
            if not received:
                deadline += _REQUEST_SECONDS
            received += piece
            if not piece or len(received) > MAX_REQUEST_BYTES:
                raise ProtocolError(f"no request line within {MAX_REQUEST_BYTES} bytes")
        return ResumeRequest.decode(received[: received.index(b"\n") + 1])

    def send_some(self, view: memoryview) -> int:
        """The number of bytes that the socket accepted; 0 if it accepted none for a while."""
        try:
            taken = self._socket.send(view[:_SEND_BYTES])
        except BlockingIOError:
            return 0
        except TimeoutError as error:
            if error.errno == errno.ETIMEDOUT:
                raise GoneError("timed out") from error
            return 0
        self.sent_bytes += taken
        return taken

    def is_leaving(self) -> bool:
        """The peer has closed its side, or is dead: for a plain client that is a good-bye."""
        return self._poll(_PEER_CLOSED)

    def is_dead(self) -> bool:
        """Reset or closed both ways. A peer that has only closed its side may still be reading."""
        return self._poll(0)

    def _poll(self, events: int) -> bool:
        try:
            poll = select.poll()
            poll.register(self._socket, events)  # errors and hang-ups are always reported
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True  # closed by its own thread in between

    def cut(self) -> None:
        """Wake the thread that is blocked on it; called from another thread."""
        with contextlib.suppress(OSError):  # it may already have ended
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Send FIN after the last byte.

        Unread input would turn it into a reset, and the last answer would be lost.
        """
        with contextlib.suppress(OSError, ValueError):
            self._socket.settimeout(0.1)
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.unwrap()
            self._socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _LINGER_SECONDS
            while time.monotonic() < deadline and self._socket.recv(65536):
                pass
        self._socket.close()
