"""Clients of a producer for rows without a bridge: many that only read, and one that sends RESUME."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import suppress

from producer.protocol import ResumeAnswer, ResumeRequest

_PIECE = 256 * 1024


def connect(port: int, receive_buffer: int | None = None) -> socket.socket:
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(60)
    client.connect(("127.0.0.1", port))
    return client


class Crowd:
    """`count` plain clients that read and count lines, in one thread."""

    def __init__(self, port: int, count: int) -> None:
        self.clients = [connect(port) for _ in range(count)]
        self.lines = [0] * count
        self.ended = 0
        self._selector = selectors.DefaultSelector()
        for index, client in enumerate(self.clients):
            self._selector.register(client, selectors.EVENT_READ, index)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.1):
                try:
                    data = key.fileobj.recv(_PIECE)  # type: ignore[union-attr]
                except OSError:
                    data = b""
                if not data:
                    self.ended += 1
                    self._selector.unregister(key.fileobj)
                self.lines[key.data] += data.count(b"\n")

    def rates(self, seconds: float) -> list[float]:
        """Lines per second of each client over the next `seconds`."""
        before, begin = list(self.lines), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - begin
        return [(now - then) / took for now, then in zip(self.lines, before, strict=True)]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(60)
        for client in self.clients:
            client.close()
        self._selector.close()


def resume(port: int, request: ResumeRequest) -> tuple[ResumeAnswer, bytes]:
    """The answer, and the first line after it (empty when nothing follows)."""
    with connect(port) as client:
        client.sendall(request.encode())
        received = b""
        with suppress(TimeoutError):
            while received.count(b"\n") < 2 and (piece := client.recv(_PIECE)):
                received += piece
    answer, _, rest = received.partition(b"\n")
    return ResumeAnswer.decode(answer), rest.partition(b"\n")[0]
