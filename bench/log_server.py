"""Serves prepared lines to plain and resuming clients: a load that needs no processor time."""

from __future__ import annotations

import json
import random
import socket
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from producer.protocol import GRACE_SECONDS, ResumeAnswer, ResumeRequest

LOG_ID = "benchmark"


class LogServer:
    """A log that repeats the same block, on a free port; every client gets all of it.

    `closes`: whether the stream ends afterwards; otherwise the connection stays open, like a producer's.
    """

    def __init__(self, block: bytes, repeats: int = 1) -> None:
        self._block = memoryview(block)
        self._end = len(block) * repeats
        self.closes = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # close() alone does not wake accept()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(GRACE_SECONDS)
            try:
                offset = self._answer(client, client.recv(256))
            except TimeoutError:
                offset = 0
                client.sendall(b"\n")
            client.settimeout(None)
            while offset < self._end:
                rest = self._block[offset % len(self._block) :]
                client.sendall(rest)
                offset += len(rest)
            if self.closes:
                client.shutdown(socket.SHUT_WR)
            client.recv(1)  # until the client goes

    def _answer(self, client: socket.socket, request: bytes) -> int:
        wish = ResumeRequest.decode(request).offset if request else 0
        offset = wish if isinstance(wish, int) else 0
        client.sendall(ResumeAnswer("ok", LOG_ID, offset).encode())
        return offset


def make_log(count: int, line_bytes: int, computers: int = 50) -> bytes:
    """A log of generated lines.

    `count` events of the flat shape, each `line_bytes` long with its LF; the message is the padding.
    """
    rng = random.Random(count)
    lines = []
    day = f"{datetime.now(timezone.utc) - timedelta(days=1):%Y-%m-%d}"  # within the topic's retention
    for number in range(count):
        clock = f"{number // 60000 % 60:02d}:{number // 1000 % 60:02d}.{number % 1000:03d}0000"
        event = {
            "timestamp": f"{day}T09:{clock}Z",
            "level": rng.choice(("Information", "Warning", "Error")),
            "source": rng.choice(("Security", "System", "Application")),
            "event_id": rng.randrange(1000, 9999),
            "record_id": number + 1,
            "computer": f"WS-{rng.randrange(computers):03d}.corp.example",
            "message": "",
        }
        line = json.dumps(event, separators=(",", ":"))
        lines.append(f'{line[:-2]}{"x" * (line_bytes - len(line) - 1)}"}}\n')
    return "".join(lines).encode("ascii")
