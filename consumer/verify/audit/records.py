"""The input of an audit: records and their places, or why there is none. Pure values."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# value, key (None: no key), partition (None: a file), offset or line number, Kafka timestamp in ms (0: none)
Record = tuple[bytes, bytes | None, int | None, int, int]
Fingerprint = Callable[[bytes], int]
"""64 bits of a line."""
Key = tuple[bytes, bytes]
"""Computer and channel in lower case: for Windows, `Security` and `security` are the same."""
OrderingKey = int | tuple[int | None, bytes | None] | None
"""The unit within which order is guaranteed.

A partition, or one key of a partition if the key is not the computer.
"""


class AuditError(Exception):
    """The audit could not be carried out (this is not the same as an audit that found something).

    The cause is outside this program; the text is for the person at the terminal.
    """


class Place(NamedTuple):
    """The place of a record: topic, partition and offset; or file and line, with partition None."""

    origin: str
    partition: int | None
    offset: int

    def __str__(self) -> str:
        if self.partition is None:
            return f"{self.origin} line {self.offset}"
        return f"{self.origin} partition {self.partition} offset {self.offset}"


class RejectedLine(NamedTuple):
    """One record of the rejected topic: the raw line, and the headers that the bridge wrote."""

    value: bytes
    reason: str
    endpoint: str
    partition: int
    offset: int
    timestamp: int  # ms since 1970, when it was rejected


PlaceOf = Callable[[int | None, int], Place]
"""From partition and offset of a record to its place."""
