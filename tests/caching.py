"""A real Valkey server for tests: started, killed, made slow, closed by a password or filled."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import redis
from running import free_ports, wait_until

from local_stack.cache import find_server


class RunningCache:
    """A server that keeps data in memory only: after a kill, it is empty. `url` is without the password."""

    def __init__(self, folder: Path, *settings: str, password: str = "") -> None:
        (port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{port}/0"
        self.client: Any = redis.Redis(port=port, password=password or None, socket_timeout=60)
        self._configuration = folder / f"valkey-{port}.conf"
        lines = ["bind 127.0.0.1", f"port {port}", 'save ""', *settings]
        self._configuration.write_text(
            "\n".join([*lines, f'requirepass "{password}"' if password else "", ""])
        )
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(find_server()), str(self._configuration)], stdout=subprocess.DEVNULL
        )
        try:
            wait_until(self._answers, "the cache answers")
        except BaseException:
            self.kill()
            raise

    def freeze(self) -> None:
        """Stop the process: connections are still accepted (by the kernel), but never answered."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(60)
        self.client.close()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False
