"""The records that were read but are not in the stream yet: which may be sent now, and which are done.

Pure: the time is a parameter. PutRecords answers for each record separately. So only one record of a key is
on its way at any time, and a later one can never overtake an earlier one that failed.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count

from forward.records import MAX_REQUEST_BYTES, MAX_REQUEST_RECORDS, Record


@dataclass
class Held:
    """A record with its number of failed `attempts`."""

    record: Record
    attempts: int = 0


@dataclass
class _Partition:
    """Offsets in the order in which they were read; `position` is the offset to commit."""

    position: int
    open: deque[int] = field(default_factory=deque)
    done: set[int] = field(default_factory=set)

    def finish(self, offset: int) -> None:
        self.done.add(offset)
        while self.open and self.open[0] in self.done:
            self.position = self.open.popleft() + 1
            self.done.discard(self.position - 1)


class Window:
    """The records that are not in the stream yet.

    `delay`: seconds to wait after a number of failed attempts. `size` is in bytes.
    """

    def __init__(self, delay: Callable[[int], float]) -> None:
        self._delay = delay
        self._keys: dict[str, deque[Held]] = {}
        self._ready: deque[Held] = deque()  # first of their keys; may be sent
        self._waiting: list[tuple[float, int, Held]] = []  # first of their keys; failed: (when due, …)
        self._numbers = count()
        self._partitions: dict[int, _Partition] = {}
        self.records = 0
        self.size = 0

    @property
    def offsets(self) -> int:
        """The number of offsets from the committed positions on; one that stays open keeps all after it."""
        return sum(len(each.open) for each in self._partitions.values())

    def add(self, record: Record) -> None:
        self._read(record)
        self.records += 1
        self.size += record.size
        held = Held(record)
        same_key = self._keys.setdefault(record.key, deque())
        same_key.append(held)
        if len(same_key) == 1:
            self._ready.append(held)

    def pass_over(self, record: Record) -> None:
        """Skip a record that is not to be sent: its offset counts as done."""
        self._read(record).finish(record.offset)

    def batch(self, now: float) -> list[Held]:
        """The records of the next request; empty if nothing is due. Each of them must be answered."""
        while self._waiting and self._waiting[0][0] <= now:
            self._ready.appendleft(heapq.heappop(self._waiting)[2])
        taken: list[Held] = []
        room = MAX_REQUEST_BYTES
        while self._ready and len(taken) < MAX_REQUEST_RECORDS and self._ready[0].record.size <= room:
            held = self._ready.popleft()
            room -= held.record.size
            taken.append(held)
        return taken

    def accepted(self, held: Held) -> None:
        """The record is in the stream: the next one of its key may follow."""
        record, same_key = held.record, self._keys[held.record.key]
        same_key.popleft()
        if same_key:
            self._ready.append(same_key[0])
        else:
            del self._keys[record.key]
        self.records -= 1
        self.size -= record.size
        self._partitions[record.partition].finish(record.offset)

    def failed(self, held: Held, now: float) -> None:
        """The record is sent again later; the later records of its key wait for it."""
        held.attempts += 1
        heapq.heappush(self._waiting, (now + self._delay(held.attempts), next(self._numbers), held))

    def seconds_until_due(self, now: float) -> float | None:
        """0 if something can be sent now; None if nothing waits."""
        if self._ready:
            return 0.0
        return max(self._waiting[0][0] - now, 0.0) if self._waiting else None

    def positions(self) -> dict[int, int]:
        """Partition -> the offset before which everything is in the stream or was skipped."""
        return {number: each.position for number, each in self._partitions.items()}

    def forget(self, partitions: Collection[int]) -> None:
        """Another reader has these partitions now. No request may be on its way."""
        self._keys = {
            key: kept
            for key, same_key in self._keys.items()
            if (kept := deque(held for held in same_key if held.record.partition not in partitions))
        }
        self._ready, self._waiting = deque(same_key[0] for same_key in self._keys.values()), []
        left = [held.record for same_key in self._keys.values() for held in same_key]
        self.records, self.size = len(left), sum(record.size for record in left)
        for number in partitions:
            self._partitions.pop(number, None)

    def _read(self, record: Record) -> _Partition:
        partition = self._partitions.setdefault(record.partition, _Partition(record.offset))
        partition.open.append(record.offset)
        return partition
