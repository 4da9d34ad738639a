"""The audit without a ledger: it checks only the record ids of a topic or a file. Pure.

The record ids of a computer's channel must be contiguous. If they begin again at a later time, another run of
the producer begins; each run is judged separately.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Iterator

from consumer.events.identity import Identity, identify_parsed
from consumer.events.intervals import Intervals
from consumer.verify.audit.audit import (
    NO_COMPUTER,
    Audit,
    Expectations,
    Orders,
    sequence_key,
    why_no_event,
)
from consumer.verify.audit.findings import Example, Findings, merged
from consumer.verify.audit.hash_store import CHUNK_MASK, HASH_BYTES, HashStore
from consumer.verify.audit.records import Key, Place, PlaceOf, Record, RejectedLine
from consumer.verify.audit.report import RunFindings
from consumer.verify.audit.sequence import Sequence

_MOST_RUNS = 100  # two producers of the same computers at the same time look like a new run again and again


class Part(Sequence):
    """The part of a sequence that belongs to one run."""

    __slots__ = ("chunk", "first_time", "rejected", "run")

    def __init__(self, computer: bytes, source: bytes, first_time: bytes) -> None:
        super().__init__(computer, source, Findings())
        self.chunk: array[int] = array("Q")  # of `next_id` - 1
        self.first_time = first_time
        self.newest = first_time
        self.rejected = 0  # events that are only in the rejected topic
        self.run = 0


class AuditWithoutLedger(Audit):
    """An audit without a ledger.

    `hash_bytes`: memory for the hashes, which distinguish a copy from another event.
    """

    def __init__(self, expectations: Expectations, place_of: PlaceOf, hash_bytes: int = HASH_BYTES) -> None:
        super().__init__(expectations, zlib.crc32, place_of)
        self.not_compared = 0  # duplicates whose first copy is no longer in the hash store
        self._current: dict[tuple[bytes, bytes], Part] = {}  # by the names as written in the line
        self._parts: dict[Key, list[Part]] = {}
        self._orders = Orders()
        self._hashes = HashStore(hash_bytes)

    def take(self, records: Iterable[Record]) -> None:
        """Judge one batch, in the order in which it was read."""
        fingerprint, find, open_chunk = self._fingerprint, self._current.get, self._hashes.open
        keyed, since = self._keyed or not self._by_computer, self._since
        times: list[tuple[bytes, int]] = []
        add_time = times.append
        count = 0
        for value, key, partition, offset, appended in records:
            count += 1
            identity = identify_parsed(value)
            if identity is None:
                if not self._is_older(b"", appended):
                    problem = why_no_event(value, self._expectations.key_fields)
                    key_problem = self._key_problem(value, key, NO_COMPUTER)
                    self._count_unidentified(value, problem, key_problem, self._place_of(partition, offset))
                continue
            computer, source, record_id, timestamp = identity
            if since is not None and self._is_older(timestamp, appended):
                continue
            if appended > 0:
                add_time((timestamp, appended))
            part = find((computer, source))
            if (
                part is not None
                and record_id == part.next_id
                and partition == part.ordering_key
                and timestamp >= part.order.latest
                and (not keyed or key == computer)
            ):
                part.next_id = record_id + 1
                part.newest = part.order.latest = timestamp
                index = record_id & CHUNK_MASK
                if not index:
                    part.chunk = open_chunk(part, record_id)
                part.chunk[index] = fingerprint(value)
            else:
                self._take_slowly(value, key, partition, offset, identity)
        self.records += count
        self.times.add(times)

    def take_rejected(self, line: RejectedLine, place: Place) -> None:
        """A line of the rejected topic: its id is not missing then, if it belongs to one of these runs."""
        identity = identify_parsed(line.value)
        if identity is None:
            return
        computer, source, record_id, timestamp = identity
        part = _part_at(self._parts.get(sequence_key(computer, source), []), timestamp)
        if part is None:
            return  # of an earlier run, or older than anything here
        if part.take(record_id, place):
            part.rejected += 1
            self._keep_hash(part, record_id, line.value)
        elif self._hashes.find(part, record_id) == self._fingerprint(line.value):
            part.findings.add("duplicated", Example(part.name(record_id), place))

    def runs(self, allow_gaps: bool) -> list[RunFindings]:
        """The findings of each run, the earliest first; ids that are missing between others are lost."""
        self._tell_runs_apart()
        by_run: dict[int, list[Part]] = {}
        for part in self._all_parts():
            by_run.setdefault(part.run, []).append(part)
        return [_judged(run, parts, allow_gaps) for run, parts in sorted(by_run.items())]

    def looks_like_two_at_once(self) -> bool:
        """Whether most parts after the first one of a sequence begin in the middle, not with id 1.

        Ids alone cannot separate the events that two producers of the same computers write at the same time.
        """
        later = [part for parts in self._parts.values() for part in parts[1:]]
        return sum(part.all_seen().first > 1 for part in later) > len(later) / 2

    def _take_slowly(
        self, value: bytes, key: bytes | None, partition: int | None, offset: int, identity: Identity
    ) -> None:
        """Judge a record that is not the next of its sequence: a gap, a late arrival, a copy, another run."""
        computer, source, record_id, timestamp = identity
        place = self._place_of(partition, offset)
        part = self._part_of(identity, value)
        self._current[computer, source] = part
        if part.take(record_id, place):
            ordering_key = self._ordering_key(partition, key)
            order = self._orders.of(computer, ordering_key)
            late = part.is_late(record_id, timestamp, ordering_key, order)
            order.latest = timestamp  # one event with a wrong time must not make all others late
            self._count_order(part, record_id, late, place)
            self._keep_hash(part, record_id, value)
        else:
            self._count_copy(part, record_id, value, Example(part.name(record_id), place))
        if problem := self._key_problem(value, key, computer):
            part.findings.add("corrupt", Example(part.name(record_id), place, problem))

    def _part_of(self, identity: Identity, value: bytes) -> Part:
        computer, source, record_id, timestamp = identity
        parts = self._parts.setdefault(sequence_key(computer, source), [])
        fingerprint = self._fingerprint(value)
        for part in reversed(parts):
            if record_id in part and self._hashes.find(part, record_id) == fingerprint:
                return part
        found = _part_at(parts, timestamp) or (parts[0] if parts else None)
        if found is None or (
            found is parts[-1] and self._begins_again(found, record_id, timestamp, len(parts))
        ):
            found = Part(computer, source, timestamp)
            parts.append(found)
        return found

    def _begins_again(self, part: Part, record_id: int, timestamp: bytes, runs: int) -> bool:
        """Whether an earlier id comes again, with other bytes and at a later time than any event so far."""
        passed = record_id in part or record_id < min([part.first, *part.seen.starts[:1]])
        return passed and timestamp > part.newest and runs < _MOST_RUNS

    def _keep_hash(self, part: Part, record_id: int, value: bytes) -> None:
        chunk = self._hashes.open(part, record_id)
        chunk[record_id & CHUNK_MASK] = self._fingerprint(value)
        if record_id == part.next_id - 1:
            part.chunk = chunk

    def _count_copy(self, part: Part, record_id: int, value: bytes, example: Example) -> None:
        part.findings.add("duplicated", example)
        first_copy = self._hashes.find(part, record_id)
        if not first_copy:
            self.not_compared += 1
        elif first_copy != self._fingerprint(value):
            # Which of the two is right is not known here.
            part.findings.add("corrupt", Example(example.event, example.place, "differs from the first copy"))

    def _all_parts(self) -> Iterator[Part]:
        return (part for parts in self._parts.values() for part in parts)

    def _tell_runs_apart(self) -> None:
        """Number the runs by time: a new run begins where a sequence has a second part in the current one."""
        run, in_run = 1, set[Key]()
        for part in sorted(self._all_parts(), key=lambda part: part.first_time):
            key = sequence_key(part.computer, part.source)
            if key in in_run:
                run, in_run = run + 1, set()
            in_run.add(key)
            part.run = run


def _part_at(parts: list[Part], timestamp: bytes) -> Part | None:
    """The latest part that began before that time."""
    for part in reversed(parts):
        if part.first_time <= timestamp:
            return part
    return None


def _judged(run: int, parts: list[Part], allow_gaps: bool) -> RunFindings:
    findings = merged(part.findings for part in parts)
    distinct = gaps = 0
    for part in parts:
        seen = part.all_seen()
        distinct += seen.count() - part.rejected
        between = Intervals([(seen.first, seen.last)]).minus(seen)
        gaps += between.count()
        if not allow_gaps:
            for example, count in part.missing(between):
                findings.add("lost", example, count)
    begin = min(part.first_time for part in parts).decode(errors="replace")
    end = max(part.newest for part in parts).decode(errors="replace")
    return RunFindings(str(run), findings, distinct, gaps=gaps, begin=begin, end=end)
