"""A TCP server that sends to each client exactly the bytes that a test gives."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from threading import Thread


class Feeder:
    """Serves `scripts` one connection after the other; the last connection stays open until `close`."""

    def __init__(self, scripts: Sequence[bytes]) -> None:
        self._scripts = list(scripts)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            script = self._scripts[self.connections] if self.connections < len(self._scripts) else b""
            self.connections += 1
            self._open.append(client)
            try:
                client.sendall(script)
                if self.connections < len(self._scripts):
                    client.close()  # a clean end of stream, also in the middle of a line
            except OSError:
                continue  # the reader went away; the next one gets the next script

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for client in self._open:
            client.close()
        self._thread.join(60)

    def __enter__(self) -> Feeder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
