"""Remembers how far plain clients came, by address, so that a reconnect can continue (--plain-resume)."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from producer.log.log_directory import write_json

_MAX_ADDRESSES = 4096


class PlainPositions:
    """Thread-safe. `overlap` bytes are sent again: what may have been in flight when the connection broke."""

    def __init__(self, overlap: int, file: Path | None = None) -> None:
        self.overlap = overlap
        self._file = file
        self._lock = threading.Lock()
        self._left: dict[str, int] = json.loads(file.read_bytes()) if file and file.exists() else {}

    def leave(self, address: str, offset: int) -> None:
        """A plain client of `address` has ended at `offset`. Of several the earliest counts: none loses."""
        with self._lock:
            self._left[address] = min(offset, self._left.get(address, offset))
            while len(self._left) > _MAX_ADDRESSES:
                del self._left[next(iter(self._left))]

    def take(self, address: str) -> int | None:
        """Where the next plain client of `address` continues, before the overlap is taken off."""
        with self._lock:
            return self._left.pop(address, None)

    def save(self, connected: dict[str, int]) -> None:
        """Keep all positions, also of the clients that are `connected`, for the next start."""
        if self._file is None:
            return
        with self._lock:
            everyone = dict(self._left)
        for address, offset in connected.items():
            everyone[address] = min(offset, everyone.get(address, offset))
        write_json(self._file, everyone, sync=False)
