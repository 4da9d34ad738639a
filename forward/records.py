"""A record for Kinesis: its data, its partition key and its size. Pure."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

MAX_RECORD_BYTES = 2**20  # value and partition key together
MAX_REQUEST_BYTES = 5 * 2**20
MAX_REQUEST_RECORDS = 500
_MAX_KEY_CHARACTERS = 256


class Record(NamedTuple):
    """A record for Kinesis.

    `key` is the partition key of Kinesis; `offset` and `partition` are those of Kafka.
    """

    partition: int
    offset: int
    key: str
    value: bytes

    @property
    def size(self) -> int:
        return len(self.value) + len(self.key.encode())


def partition_key(key: bytes | None, partition: int, offset: int) -> str:
    """The text of Kafka's key, so that all records of a key are in one shard.

    A key that Kinesis cannot take (no UTF-8, empty, over 256 characters) is replaced by its SHA-256. A record
    without a key gets a unique one: it has no order to keep, so it may go to any shard.
    """
    if key is None:
        return f"{partition}-{offset}"
    try:
        text = key.decode()
    except UnicodeDecodeError:
        text = ""
    return text if 0 < len(text) <= _MAX_KEY_CHARACTERS else hashlib.sha256(key).hexdigest()


def refusal(record: Record) -> str | None:
    """Why Kinesis can never take this record, as one word; None if it can."""
    return "too-large" if record.size > MAX_RECORD_BYTES else None
