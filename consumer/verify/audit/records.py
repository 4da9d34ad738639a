"""The input of an audit: records and their places. Pure values."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# value, key (None: no key), partition (None: a file), offset or line number, Kafka timestamp in ms (0: none)
Record = tuple[bytes, bytes | None, int | None, int, int]
Fingerprint = Callable[[bytes], int]
"""64 bits of a line."""
Key = tuple[bytes, bytes]
"""Computer and channel, in small letters: Windows does not tell `Security` from `security`."""
OrderingKey = int | tuple[int | None, bytes | None] | None
"""Where order is promised: a partition, or one key of a partition where the key is not the computer."""


class Place(NamedTuple):
    """Where a record lies: topic, partition and offset; or file and line, then partition is None."""

    origin: str
    partition: int | None
    offset: int

    def __str__(self) -> str:
        if self.partition is None:
            return f"{self.origin} line {self.offset}"
        return f"{self.origin} partition {self.partition} offset {self.offset}"


class RejectedLine(NamedTuple):
    """One record of the rejected topic: the raw line, and what the bridge wrote beside it."""

    value: bytes
    reason: str
    endpoint: str
    partition: int
    offset: int
    timestamp: int  # ms since 1970, when it was rejected


PlaceOf = Callable[[int | None, int], Place]
"""From partition and offset of a record to its place."""
