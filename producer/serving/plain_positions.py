"""Remembers where plain clients left, by address, so that a returning client continues there
(--plain-resume).

Clients of one address cannot be told apart. So each that comes back continues from the lowest position that
any of them left, and a position is forgotten only when the log no longer has it. This causes duplicates, at
most as many as the log keeps.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from producer.log.recovery import read_json
from toolkit.atomic_file import write_atomically

_log = logging.getLogger("producer.serving")
_MAX_ADDRESSES = 4096
_MAX_PLACES = 256  # positions of one address; more are rounded down, so that many become equal
_COARSE_BYTES = 1024 * 1024


class PlainPositions:
    """Thread-safe. The last `overlap` bytes are sent again: they may have been in flight at the end."""

    def __init__(self, overlap: int, file: Path | None = None, end: int = 2**63) -> None:
        """`end` is that of the log at the start.

        Positions after it belong to bytes that a power cut has lost.
        """
        self.overlap = overlap
        self._file = file
        self._lock = threading.Lock()
        self._saving = threading.Lock()  # one writer at a time, and nobody else waits for the disk
        self._can_save = True
        self._left: dict[str, list[int]] = {
            address: sorted({min(each, end) for each in ([left] if isinstance(left, int) else left)})
            for address, left in _read(file).items()
        }

    def leave(self, address: str, offset: int) -> None:
        """A plain client of `address` has ended at `offset`."""
        with self._lock:
            left = self._left.setdefault(address, [])
            if offset not in left:
                left.append(offset)
                left.sort()
                if len(left) > _MAX_PLACES:
                    left[:] = sorted({each // _COARSE_BYTES * _COARSE_BYTES for each in left})
            while len(self._left) > _MAX_ADDRESSES:
                del self._left[next(iter(self._left))]

    def lowest(self, address: str, start: int) -> int | None:
        """Where a plain client of `address` continues, before the overlap is subtracted; None for "from now
        on".

        `start` is that of the log. A client that left before it has lost bytes: this is reported once, when
        the next one comes.
        """
        with self._lock:
            left = self._left.get(address, [])
            kept = [offset for offset in left if offset + _COARSE_BYTES > start]
            if len(kept) < len(left):
                _log.warning(
                    "a plain client of %s left at %d; the log starts at %d now", address, left[0], start
                )
                self._left[address] = kept
                return start
            return kept[0] if kept else None

    def save(self, connected: list[tuple[str, int]]) -> None:
        """Store all positions, also of the clients that are `connected`, for the next start."""
        if self._file is None:
            return
        with self._saving:
            with self._lock:
                everyone = {address: set(left) for address, left in self._left.items()}
            for address, offset in connected:
                everyone.setdefault(address, set()).add(offset)
            self._write(self._file, {address: sorted(left) for address, left in everyone.items()})

    def _write(self, file: Path, positions: dict[str, list[int]]) -> None:
        """A disk that is full ends no client; the log says once what a restart would lose."""
        try:
            write_atomically(file, json.dumps(positions), sync=False)
        except OSError as error:
            if self._can_save:
                _log.error("%s: %s: after a restart, plain clients may miss events", file, error.strerror)
            self._can_save = False
        else:
            self._can_save = True


def _read(file: Path | None) -> dict[str, list[int] | int]:
    if file is None or not file.exists():
        return {}
    left = read_json(file, dict[str, list[int] | int])
    if left is None:  # a power cut has emptied it
        _log.warning("%s cannot be read; plain clients begin at the end of the log", file)
    return left or {}
