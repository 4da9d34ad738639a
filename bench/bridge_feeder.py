"""A server that sends one block of events over and over, as fast as each client reads.

It speaks to plain clients and to resuming ones. `python -m bench.bridge_feeder PORT`
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from itertools import islice
from threading import Thread

from producer.generator import GeneratorSettings, generate
from producer.protocol import GRACE_SECONDS, ResumeAnswer, ResumeRequest


def block(lines: int = 20_000) -> bytes:
    return b"".join(event.line for event in islice(generate(GeneratorSettings(seed=1, hosts=50)), lines))


def serve(client: socket.socket, data: bytes) -> None:
    offset = 0
    client.settimeout(GRACE_SECONDS)
    try:
        request = ResumeRequest.decode(client.recv(256))
        offset = request.offset if isinstance(request.offset, int) else 0
        client.sendall(ResumeAnswer("ok", "bench", offset).encode())
    except TimeoutError:
        client.sendall(b"\n")
    client.settimeout(None)
    twice = memoryview(data + data)
    with suppress(OSError):
        while True:
            start = offset % len(data)
            client.sendall(twice[start : start + len(data)])
            offset += len(data)


def main() -> None:
    data = block()
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
        sys.stdout.write(f"{len(data) / 20_000:.0f}\n")
        sys.stdout.flush()
        while True:
            client, _ = server.accept()
            Thread(target=serve, args=(client, data), daemon=True).start()


if __name__ == "__main__":
    main()
