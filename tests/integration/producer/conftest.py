"""Starts the real win-event-producer on a free port and talks to it over real sockets."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from plain_jvm import compile_java, gateway

from producer.protocol import ResumeAnswer, ResumeRequest

__all__ = ["compile_java", "gateway"]

COMMAND = str(Path(sys.executable).with_name("win-event-producer"))


class Connection:
    """A client of the producer."""

    def __init__(self, port: int, request: ResumeRequest | bytes = b"", host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=60)
        if request:
            self.socket.sendall(request if isinstance(request, bytes) else request.encode())

    def read_exactly(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            piece = self.socket.recv(size - len(received))
            if not piece:
                raise AssertionError(f"the stream ended after {len(received)} of {size} bytes")
            received += piece
        return bytes(received)

    def read_all(self) -> bytes:
        """All bytes until the server ends the stream."""
        received = bytearray()
        while piece := self.socket.recv(1 << 20):
            received += piece
        self.close()
        return bytes(received)

    def answer(self) -> ResumeAnswer:
        line = b""
        while not line.endswith(b"\n"):
            line += self.read_exactly(1)
        return ResumeAnswer.decode(line)

    def close(self) -> None:
        self.socket.close()


class Producer:
    """A running producer; `stderr` collects its lines while it runs."""

    def __init__(self, *options: str, before: Sequence[str] = (), **keywords: Any) -> None:
        """`before`: a command that runs the producer, and its first arguments."""
        self.stderr: list[str] = []
        self.port, self.log_id = 0, ""
        self._connections: list[Connection] = []
        self._listens = threading.Event()
        self.process = subprocess.Popen(
            [*before, COMMAND, "--port", "0", *options], stderr=subprocess.PIPE, text=True, **keywords
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listens.wait(60) or not self.port:
            self.kill()
            raise AssertionError("the producer does not listen:\n" + "\n".join(self.stderr))

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.stderr.append(line.rstrip("\n"))
            if match := re.search(r"listening on .*?:(\d+), log (\w+)", line):
                self.port, self.log_id = int(match[1]), match[2]
                self._listens.set()
        self._listens.set()

    def connect(self, request: ResumeRequest | bytes = b"", host: str = "127.0.0.1") -> Connection:
        self._connections.append(Connection(self.port, request, host))
        return self._connections[-1]

    def says(self, text: str, seconds: float = 60) -> bool:
        """Wait until a line with `text` has come on stderr."""
        deadline = threading.Event()
        for _ in range(int(seconds * 50)):
            if any(text in line for line in self.stderr):
                return True
            deadline.wait(0.02)
        return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code after the signal."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(60)
        self._reader.join(60)
        return code

    def kill(self) -> None:
        for connection in self._connections:
            connection.close()
        self.process.kill()
        self.process.wait()
        self._reader.join(60)
        if self.process.stderr:
            self.process.stderr.close()


@pytest.fixture
def start_producer() -> Iterator[Callable[..., Producer]]:
    yield from _starting()


@pytest.fixture(scope="module")
def start_producer_for_module() -> Iterator[Callable[..., Producer]]:
    yield from _starting()


def _starting() -> Iterator[Callable[..., Producer]]:
    started: list[Producer] = []

    def start(*options: str, **keywords: Any) -> Producer:
        started.append(Producer(*options, **keywords))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def command() -> str:
    return COMMAND
