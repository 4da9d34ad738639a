"""The running audit: takes records one batch at a time and keeps what the verdict needs. Pure.

Memory follows the number of sequences, of gaps and of places kept as examples, never the number of records.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable

from consumer.events.identity import Identify
from consumer.verify.audit.findings import Finding, Findings, Kind, Place, event_name, shown
from consumer.verify.audit.intervals import Intervals
from consumer.verify.audit.latency import AppendTimes
from consumer.verify.audit.sequence import CHUNK_MASK, HASH_BYTES, HashStore, Sequence

# value, key (None: no key), partition (None: a file), offset or line number, Kafka timestamp in ms (0: none)
Record = tuple[bytes, bytes | None, int | None, int, int]
Fingerprint = Callable[[bytes], int]
Plausible = Callable[[Sequence, int], bool]
OnEvict = Callable[[Sequence, int, "array[int]"], None]


def ignore_chunk(sequence: Sequence, first: int, chunk: array[int]) -> None:
    """For audits that have no ledger to compare hashes with."""


def take_any(sequence: Sequence, record_id: int) -> bool:
    """For audits that do not know which ids there should be."""
    return True


class Audit:
    """`origin` is the topic's or the file's name; `fingerprint` gives 64 bits of a line."""

    def __init__(
        self,
        origin: str,
        identify: Identify,
        fingerprint: Fingerprint,
        on_evict: OnEvict = ignore_chunk,
        plausible: Plausible = take_any,
        hash_bytes: int = HASH_BYTES,
    ) -> None:
        self.origin = origin
        self.records = 0
        self.not_compared = 0  # duplicates whose first copy is no longer in the hash store
        self.findings = Findings()
        # Copies of one event with different bytes: which of the two is right is not known here.
        self.differing = Findings()
        self.differing_ids: dict[tuple[bytes, bytes], Intervals] = {}
        self.times = AppendTimes()
        self.sequences: dict[tuple[bytes, bytes], Sequence] = {}
        self._latest: dict[bytes, bytes] = {}  # event time of each computer's last new event
        self._identify = identify
        self._fingerprint = fingerprint
        self._plausible = plausible
        self.hashes = HashStore(on_evict, hash_bytes)

    def take(self, records: Iterable[Record]) -> None:
        """Judge one batch, in the order it was read."""
        identify, fingerprint, sequences = self._identify, self._fingerprint, self.sequences
        open_chunk, latest = self.hashes.open, self._latest
        times: list[tuple[bytes, int]] = []
        add_time = times.append
        count = 0
        for value, key, partition, offset, appended in records:
            count += 1
            identity = identify(value)
            if identity is None:
                self._unreadable(value, Place(self.origin, partition, offset))
                continue
            computer, source, record_id, timestamp = identity
            sequence = sequences.get((computer, source)) or self._new_sequence(computer, source)
            if record_id == sequence.next_id:
                sequence.next_id = record_id + 1
                index = record_id & CHUNK_MASK
                if not index:
                    sequence.chunk = open_chunk(sequence, record_id)
                sequence.chunk[index] = fingerprint(value)
                # Ids order the events of one channel; among the channels of a computer only time does.
                if timestamp < latest.get(computer, b""):
                    self._earlier(sequence, record_id, Place(self.origin, partition, offset))
                latest[computer] = timestamp
            else:
                self._out_of_line(sequence, record_id, value, Place(self.origin, partition, offset))
            if key is not None and key != computer:
                self._wrong_key(sequence, record_id, key, Place(self.origin, partition, offset))
            if appended > 0:
                add_time((timestamp, appended))
        self.records += count
        self.times.add(times)

    def _new_sequence(self, computer: bytes, source: bytes) -> Sequence:
        sequence = self.sequences[computer, source] = Sequence(computer, source)
        return sequence

    def _out_of_line(self, sequence: Sequence, record_id: int, value: bytes, place: Place) -> None:
        """Any id but the next: a gap, a late arrival or a duplicate."""
        if record_id > sequence.next_id and not self._plausible(sequence, record_id):
            if sequence.take_stray(record_id, place):
                self._keep_hash(sequence, record_id, value)
            else:
                self._duplicate(sequence, record_id, value, place)
        elif record_id > sequence.next_id:
            sequence.jump(record_id, place)
            sequence.chunk = self.hashes.open(sequence, record_id)
            sequence.chunk[record_id & CHUNK_MASK] = self._fingerprint(value)
        elif sequence.take_late(record_id):
            self._keep_hash(sequence, record_id, value)
            self._found("reordered", sequence, record_id, place, f"after {sequence.next_id - 1}")
        else:
            self._duplicate(sequence, record_id, value, place)

    def _keep_hash(self, sequence: Sequence, record_id: int, value: bytes) -> None:
        self.hashes.open(sequence, record_id)[record_id & CHUNK_MASK] = self._fingerprint(value)

    def _earlier(self, sequence: Sequence, record_id: int, place: Place) -> None:
        self._found("reordered", sequence, record_id, place, "after a later event of this computer")

    def _duplicate(self, sequence: Sequence, record_id: int, value: bytes, place: Place) -> None:
        self._found("duplicated", sequence, record_id, place)
        first_copy = self.hashes.find(sequence, record_id)
        if not first_copy:
            self.not_compared += 1
        elif first_copy != self._fingerprint(value):
            event = event_name(sequence.computer, sequence.source, record_id)
            self.differing.add("corrupt", Finding(event, place, "differs from the first copy"))
            key = (sequence.computer, sequence.source)
            self.differing_ids.setdefault(key, Intervals()).add(record_id)

    def _unreadable(self, value: bytes, place: Place) -> None:
        self.findings.add("corrupt", Finding("", place, f"not an event: {shown(value)!r}"))

    def _wrong_key(self, sequence: Sequence, record_id: int, key: bytes, place: Place) -> None:
        self._found("corrupt", sequence, record_id, place, f"has the key {shown(key)!r}")

    def _found(self, kind: Kind, sequence: Sequence, record_id: int, place: Place, detail: str = "") -> None:
        event = event_name(sequence.computer, sequence.source, record_id)
        self.findings.add(kind, Finding(event, place, detail))
