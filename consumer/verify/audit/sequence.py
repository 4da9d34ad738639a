"""The record ids seen of one computer's channel, and the hashes of the latest. Pure."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable

from consumer.verify.audit.findings import Place
from consumer.verify.audit.intervals import Intervals

CHUNK_IDS = 256
CHUNK_MASK = CHUNK_IDS - 1
CHUNK_SHIFT = 8
HASH_BYTES = 64 * 2**20  # the hashes of the latest eight million events
_EMPTY_CHUNK = bytes(8 * CHUNK_IDS)
_PLACES_KEPT = 64

# A chunk is an array of CHUNK_IDS unsigned 64-bit hashes; 0 means "id not seen".


class Sequence:
    """(computer, source): the newest interval of ids is open at `next_id`, the older ones are in `seen`."""

    __slots__ = ("chunk", "computer", "first", "next_id", "places", "seen", "source")

    def __init__(self, computer: bytes, source: bytes) -> None:
        self.computer = computer
        self.source = source
        self.seen = Intervals()
        self.first = 0
        self.next_id = 0  # 0: nothing seen yet, no record id is 0
        self.chunk: array[int] = array("Q")
        self.places: dict[int, Place] = {}  # of the first id behind each gap

    def jump(self, record_id: int, place: Place | None = None) -> None:
        """Leave a gap: ids next_id..record_id-1 have not come (yet)."""
        if self.next_id:
            self.seen.add_range(self.first, self.next_id - 1)
        if place is not None and len(self.places) < _PLACES_KEPT:
            self.places[record_id] = place
        self.first = record_id
        self.next_id = record_id + 1

    def take_stray(self, record_id: int, place: Place) -> bool:
        """An id that cannot be the next one's successor: it leaves no gap. False when seen before."""
        if len(self.places) < _PLACES_KEPT:
            self.places.setdefault(record_id, place)
        return self.seen.add(record_id)

    def take_late(self, record_id: int) -> bool:
        """An id below next_id; False when it was seen before."""
        return record_id < self.first and self.seen.add(record_id)

    def all_seen(self) -> Intervals:
        everything = Intervals(self.seen)
        everything.add_range(self.first, self.next_id - 1)
        return everything


class HashStore:
    """Hashes by sequence and id, in chunks. The oldest chunk goes when the store is full.

    `on_evict(sequence, first id of the chunk, chunk)` sees every chunk once before it goes.
    """

    def __init__(self, on_evict: Callable[[Sequence, int, array[int]], None], max_bytes: int) -> None:
        self._on_evict = on_evict
        self._max_chunks = max(max_bytes // len(_EMPTY_CHUNK), 1)
        self._chunks: dict[tuple[Sequence, int], array[int]] = {}
        self._order: deque[tuple[Sequence, int]] = deque()

    def open(self, sequence: Sequence, record_id: int) -> array[int]:
        """The chunk that holds `record_id`, made when missing."""
        key = (sequence, record_id >> CHUNK_SHIFT)
        chunk = self._chunks.get(key)
        if chunk is None:
            if len(self._order) >= self._max_chunks:
                self._evict()
            chunk = self._chunks[key] = array("Q", _EMPTY_CHUNK)
            self._order.append(key)
        return chunk

    def find(self, sequence: Sequence, record_id: int) -> int:
        """The hash kept for an id, 0 when none is."""
        chunk = self._chunks.get((sequence, record_id >> CHUNK_SHIFT))
        return chunk[record_id & CHUNK_MASK] if chunk else 0

    def evict_all(self) -> None:
        for (sequence, number), chunk in self._chunks.items():
            self._on_evict(sequence, number << CHUNK_SHIFT, chunk)
        self._chunks.clear()
        self._order.clear()

    def _evict(self) -> None:
        key = self._order.popleft()
        sequence, number = key
        chunk = self._chunks[key]
        self._on_evict(sequence, number << CHUNK_SHIFT, chunk)
        if chunk is sequence.chunk:
            # Still being filled: what it held is accounted for, so it starts again as the newest.
            chunk[:] = array("Q", _EMPTY_CHUNK)
            self._order.append(key)
        else:
            del self._chunks[key]
