"""Socket clients that need little processor time, so that the server is measured."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from typing import cast

from producer.protocol import ResumeAnswer, ResumeRequest

_PIECE = 1 << 20


def read_for(port: int, seconds: float, at_begin: Callable[[], None]) -> tuple[int, float]:
    """Lines that a plain client gets in about `seconds`, and the exact time that took.

    The first second does not count, because the events of the grace period come at once; `at_begin` is called
    after it.
    """
    with socket.create_connection(("127.0.0.1", port)) as client:
        while b"{" not in client.recv(_PIECE):
            pass
        begin = last = time.monotonic()
        while last - begin < 1.0:
            client.recv(_PIECE)
            last = time.monotonic()
        at_begin()
        begin, lines = last, 0
        while last - begin < seconds:
            lines += client.recv(_PIECE).count(b"\n")
            last = time.monotonic()
    return lines, last - begin


class Takers:
    """Clients that read fast.

    `count` clients in one process. They read the log from its start, and discard or compare it.
    """

    def __init__(self, port: int, count: int) -> None:
        self._clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]

    def ask(self) -> None:
        """Ask for the log from its earliest byte, and read the answers."""
        for client in self._clients:
            client.sendall(ResumeRequest(None, "earliest").encode())
        for client in self._clients:
            answer = b""
            while not answer.endswith(b"\n"):
                answer += client.recv(1)
            if ResumeAnswer.decode(answer).status == "error":
                raise RuntimeError(f"refused: {answer!r}")

    def compare(self, expected: bytes) -> float:
        """After `ask`: read to the end of the stream and compare each byte with `expected`; returns the
        seconds.

        The clock starts at the first byte. Raises RuntimeError if a client got other bytes, or not all of
        them. Comparing costs a tenth of what counting lines costs.
        """
        taken = dict.fromkeys(self._clients, 0)
        begin, buffer = 0.0, memoryview(bytearray(_PIECE))
        with selectors.DefaultSelector() as selector:
            for client in self._clients:
                selector.register(client, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    client = cast(socket.socket, key.fileobj)
                    size = client.recv_into(buffer)
                    begin = begin or time.monotonic()
                    if not size:
                        selector.unregister(client)
                    if not expected.startswith(buffer[:size], taken[client]):
                        raise RuntimeError(f"a client got other bytes at or after offset {taken[client]}")
                    taken[client] += size
        if any(size != len(expected) for size in taken.values()):
            raise RuntimeError("a client did not get all of the log")
        return time.monotonic() - begin

    def take_for(self, seconds: float) -> None:
        """Read as the first client, a plain one, for so many seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._clients[0].recv(_PIECE)

    def take(self, each: int) -> float:
        """Ask for the log and read `each` bytes of it in every client; returns the seconds."""
        begin = time.monotonic()
        left: dict[socket.socket, int] = {}
        with selectors.DefaultSelector() as selector:
            for each_client in self._clients:
                each_client.sendall(ResumeRequest(None, "earliest").encode())
                left[each_client] = each
                selector.register(each_client, selectors.EVENT_READ)
            buffer = bytearray(_PIECE)
            while selector.get_map():
                for key, _ in selector.select():
                    client = cast(socket.socket, key.fileobj)
                    left[client] -= client.recv_into(buffer)
                    if left[client] <= 0:
                        selector.unregister(client)
        return time.monotonic() - begin

    def close(self) -> None:
        for client in self._clients:
            client.close()


def log_end(port: int) -> int:
    """The current end offset of the log."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(ResumeRequest(None, "latest").encode())
        return ResumeAnswer.decode(client.makefile("rb").readline()).offset
