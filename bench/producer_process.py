"""A real win-event-producer and real socket clients, for the producer benches."""

from __future__ import annotations

import re
import selectors
import socket
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil

from producer.protocol import ResumeAnswer, ResumeRequest

COMMAND = str(Path(sys.executable).with_name("win-event-producer"))


class ProducerProcess:
    """Runs until stop(); `port` and `log_id` are read from its first lines."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [COMMAND, "--port", "0", *options], stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self.lines: list[str] = []
        self._wait_until_it_listens()
        self.watched = psutil.Process(self._process.pid)

    def _wait_until_it_listens(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.lines.append(line.rstrip())
            if match := re.search(r"listening on .*?:(\d+), log (\w+)", line):
                self.port, self.log_id = int(match[1]), match[2]
                return
        raise SystemExit("\n".join(self.lines) or "the producer does not start")

    def wait_for(self, text: str) -> str:
        """The next line on stderr with `text`."""
        assert self._process.stderr
        for line in self._process.stderr:
            self.lines.append(line.rstrip())
            if text in line:
                return line
        raise SystemExit(f"the producer ended before it said {text!r}")

    def memory(self) -> int:
        """Resident bytes."""
        return int(self.watched.memory_info().rss)

    def cpu_seconds(self) -> float:
        """Processor time so far, also when it has ended but stop() was not called."""
        times = self.watched.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> list[str]:
        """Ask it to end (it may have ended by itself); all that it said."""
        self._process.terminate()
        return self._last_words()

    def kill(self) -> None:
        self._process.kill()
        self._last_words()

    def _last_words(self) -> list[str]:
        rest = self._process.communicate()[1]
        self.lines += rest.splitlines()
        return self.lines


def connect(port: int, request: ResumeRequest | None = None) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    if request:
        client.sendall(request.encode())
        line = b""
        while not line.endswith(b"\n"):
            line += client.recv(1)
        if ResumeAnswer.decode(line).status == "error":
            raise SystemExit(f"refused: {line!r}")
    return client


@dataclass
class Received:
    """What one client took; `seconds` from its first byte to its last."""

    size: int = 0
    lines: int = 0
    checksum: int = 0
    seconds: float = 0.0


def read_all(clients: list[socket.socket], expected: bytes) -> list[Received]:
    """Read every client to its end in one thread and hold each byte against `expected`.

    Comparing costs a tenth of counting lines and a checksum, so that the server is what is measured.
    Raises SystemExit at the first byte that differs.
    """
    received = {client: Received() for client in clients}
    begin, buffer = 0.0, memoryview(bytearray(1 << 18))
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                client = cast(socket.socket, key.fileobj)
                own, size = received[client], client.recv_into(buffer)
                begin = begin or time.perf_counter()
                if not size:
                    selector.unregister(client)
                    client.close()
                if not expected.startswith(buffer[:size], own.size):
                    raise SystemExit(f"a client got other bytes than the log holds, at or after {own.size}")
                own.size += size
                own.seconds = time.perf_counter() - begin
    return list(received.values())


def read_to_the_end(client: socket.socket, checks: bool = True, limit: int = 2**62) -> Received:
    """Read until the server ends the stream or `limit` bytes have come."""
    received, buffer, begin = Received(), memoryview(bytearray(1 << 20)), 0.0
    while received.size < limit and (size := client.recv_into(buffer)):
        begin = begin or time.perf_counter()
        received.size += size
        if checks:
            piece = buffer[:size]
            received.lines += bytes(piece).count(b"\n")
            received.checksum = zlib.crc32(piece, received.checksum)
    received.seconds = time.perf_counter() - begin
    client.close()
    return received
