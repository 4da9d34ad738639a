"""The hashes of the latest records, for an audit that has no ledger to compare them with. Pure."""

from __future__ import annotations

from array import array
from collections import deque

from consumer.verify.audit.sequence import Sequence

CHUNK_IDS = 256
CHUNK_MASK = CHUNK_IDS - 1
_CHUNK_SHIFT = 8
HASH_BYTES = 64 * 2**20  # the hashes of the latest eight million events
_EMPTY_CHUNK = bytes(8 * CHUNK_IDS)

# A chunk is an array of CHUNK_IDS unsigned 64-bit hashes; 0 means that the id was not seen.


class HashStore:
    """Hashes by sequence and id, in chunks. When the store is full, the oldest chunk is removed."""

    def __init__(self, max_bytes: int = HASH_BYTES) -> None:
        self._max_chunks = max(max_bytes // len(_EMPTY_CHUNK), 1)
        self._chunks: dict[tuple[Sequence, int], array[int]] = {}
        self._order: deque[tuple[Sequence, int]] = deque()

    def open(self, sequence: Sequence, record_id: int) -> array[int]:
        """The chunk for `record_id`; a missing one is created."""
        key = (sequence, record_id >> _CHUNK_SHIFT)
        chunk = self._chunks.get(key)
        if chunk is None:
            if len(self._order) >= self._max_chunks:
                del self._chunks[self._order.popleft()]
            chunk = self._chunks[key] = array("Q", _EMPTY_CHUNK)
            self._order.append(key)
        return chunk

    def find(self, sequence: Sequence, record_id: int) -> int:
        """The stored hash of an id; 0 if there is none."""
        chunk = self._chunks.get((sequence, record_id >> _CHUNK_SHIFT))
        return chunk[record_id & CHUNK_MASK] if chunk else 0
