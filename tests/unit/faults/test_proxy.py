"""The fault driver's proxy changes a connection as its methods say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from faults.proxy import Cut, Proxy, cuts_at_every_byte
from running import wait_until


class Echo:
    """Sends back what it receives, and remembers it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(client,), daemon=True).start()

    def _echo(self, client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(65536):
                    client.sendall(data)
            except OSError:
                return  # it was reset

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    echo = Echo()
    with Proxy(echo.port) as running:
        yield running
    echo.close()


def connect(proxy: Proxy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
    client.sendall(b"hello\n")
    assert client.recv(100) == b"hello\n"
    return client


def read_all(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(65536):
        received += piece
    return received


def test_passes_bytes_and_the_end_of_a_stream(proxy: Proxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"x" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"x" * 1_000_000


def test_reset_is_a_reset(proxy: Proxy) -> None:
    with connect(proxy) as client:
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(100)
    assert proxy.resets == 1


def test_a_black_hole_says_nothing_and_loses_nothing(proxy: Proxy) -> None:
    with connect(proxy) as client:
        proxy.black_hole()
        client.sendall(b"later\n")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(100)
        proxy.heal()
        client.settimeout(60)
        assert client.recv(100) == b"later\n"


@pytest.mark.parametrize("into", [0, 1, 5, -1])
def test_cuts_inside_a_line(proxy: Proxy, into: int) -> None:
    proxy.cuts_to_come = iter([Cut(into, range(4, 7), after=2)])
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as client:
        client.sendall(b"one\ntwo\nmuch longer\nth")
        client.sendall(b"ree\nfour\n")
        assert read_all(client) == b"one\ntwo\nmuch longer\n" + b"three\n"[:into]
    wait_until(lambda: proxy.cuts == 1, "the cut is counted")


def test_a_cut_waits_for_the_whole_line() -> None:
    cut = Cut(3, range(7, 8), after=1)
    assert cut.position(b"abcdef\nno end") is None
    assert cut.position(b"abcdef\nno end\n") == 10


def test_cuts_leave_every_part_of_a_line() -> None:
    line = b"123456789\n"
    left = [line[: cut.into] for cut in cuts_at_every_byte(range(len(line), 12))]
    assert left == [line[:length] for length in range(1, len(line))]


def test_a_slow_drip_is_slow(proxy: Proxy) -> None:
    with connect(proxy) as client:
        proxy.bytes_per_second = 2000
        before = proxy.forwarded
        client.sendall(b"x" * 100_000)
        assert client.recv(65536)
        assert proxy.forwarded - before < 100_000
