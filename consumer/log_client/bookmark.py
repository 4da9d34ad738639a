"""The bookmark file: the reader's position in each endpoint's log. Written atomically."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from toolkit.atomic_file import write_atomically

_VERSION = 1


class BookmarkError(Exception):
    """The file cannot be read or written, or is not a bookmark."""


@dataclass(frozen=True)
class Position:
    """A log, and the byte offset of the first line that was not read yet."""

    log_id: str
    offset: int


class BookmarkFile:
    """{"bookmark":1,"endpoints":{"HOST:PORT":{"log_id":"…","offset":N}}}"""

    def __init__(self, path: Path) -> None:
        """Raises BookmarkError if the file exists but is not a bookmark."""
        self._path = path
        self._positions = self._load()

    def get(self, endpoint: str) -> Position | None:
        return self._positions.get(endpoint)

    def save(self, positions: dict[str, Position]) -> None:
        """Replace the file in one step: a reader sees the old one or the new one. Raises BookmarkError."""
        self._positions |= positions
        endpoints = {name: vars(position) for name, position in sorted(self._positions.items())}
        content = orjson.dumps({"bookmark": _VERSION, "endpoints": endpoints}).decode()
        try:
            write_atomically(self._path, content + "\n")
        except OSError as error:
            raise BookmarkError(f"cannot write the bookmark {self._path}: {error.strerror}") from error

    def _load(self) -> dict[str, Position]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BookmarkError(f"cannot read the bookmark {self._path}: {error.strerror}") from error
        try:
            stored = orjson.loads(content)
            if stored["bookmark"] != _VERSION:
                raise ValueError("another version")
            return {
                name: Position(str(position["log_id"]), int(position["offset"]))
                for name, position in stored["endpoints"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BookmarkError(f"{self._path} is not a bookmark of win-event-tail: remove it") from error
