"""One run of the producer: every event that it made, and which of them were seen. Pure.

Eight bytes per event are stored: its hash, with which a record is compared.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from consumer.events.intervals import Interval, Intervals
from consumer.verify.audit.audit import Orders, sequence_key
from consumer.verify.audit.findings import Example, Findings
from consumer.verify.audit.records import Key, Place
from consumer.verify.audit.report import RunFindings
from consumer.verify.audit.sequence import Sequence
from producer.log.ledger import POSTED, LedgerBlock

_POSTED: Key = (POSTED[0].encode(), POSTED[1].encode())


class ExpectedSequence(Sequence):
    """The hashes of a sequence, and the ids that were seen.

    `hashes` and `base` are those of the newest stretch of consecutive ids: `hashes[0]` belongs to id `base`.
    `claimed`: ids that arrived only with other bytes than were produced.
    """

    __slots__ = ("_bases", "_stretches", "base", "claimed", "hashes", "run", "wanted")

    def __init__(self, computer: bytes, source: bytes, run: ExpectedRun) -> None:
        super().__init__(computer, source, run.findings)
        self.run = run
        self.wanted = Intervals()
        self.claimed = Intervals()
        self.base = 0
        self.hashes: array[int] = array("Q")
        self._bases: list[int] = []
        self._stretches: list[array[int]] = []

    def expect(self, first: int, last: int, hashes: bytes) -> None:
        """Add ids that were produced, with HASH_BYTES for each."""
        numbers = _numbers(hashes)
        self.wanted.add_range(first, last)
        if self._bases and first == self.base + len(self.hashes):
            self.hashes.extend(numbers)
            return
        at = bisect_right(self._bases, first)
        self._bases.insert(at, first)
        self._stretches.insert(at, numbers)
        self.base, self.hashes = self._bases[-1], self._stretches[-1]

    def is_hash_of(self, record_id: int, fingerprint: int) -> bool:
        """Whether the event of this id has this hash."""
        at = bisect_right(self._bases, record_id) - 1
        index = record_id - self._bases[at] if at >= 0 else -1
        return 0 <= index < len(self._stretches[at]) and self._stretches[at][index] == fingerprint

    def arrived(self) -> Intervals:
        """The ids that were seen, undamaged or with other bytes."""
        return Intervals([*self.all_seen(), *self.claimed])

    def missing_ids(self) -> Iterator[tuple[Interval, bool]]:
        """Intervals of ids that did not arrive; for each, whether a higher id arrived."""
        arrived = self.arrived()
        highest = arrived.last if arrived else 0
        for first, last in self.wanted.minus(arrived):
            if first <= highest:
                yield (first, min(last, highest)), True
            if last > highest:
                yield (max(first, highest + 1), last), False


@dataclass
class _Copies:
    """One line that callers posted: its numbers in the ledger, and how often it arrived."""

    numbers: list[int] = field(default_factory=list)
    in_topic: int = 0
    in_rejected: int = 0
    last: Place | None = None


class PostedEvents:
    """Events that callers posted. They have no id: the ledger numbers them, and only their hash identifies
    them.

    The same line may have been posted more than once, so the number of extra copies is known only at the end.
    """

    def __init__(self, run: ExpectedRun) -> None:
        self.sequence = ExpectedSequence(*_POSTED, run)
        self._copies: dict[int, _Copies] = {}  # by hash

    def expect(self, block: LedgerBlock) -> None:
        self.sequence.wanted.add_range(block.first, block.last)
        numbers = range(block.first, block.last + 1)
        for number, digest in zip(numbers, _numbers(block.hashes), strict=True):
            self._copies.setdefault(digest, _Copies()).numbers.append(number)

    def take(self, fingerprint: int, place: Place, *, rejected: bool) -> bool:
        """Count one copy of a line; False if nobody posted it."""
        copies = self._copies.get(fingerprint)
        if copies is None:
            return False
        copies.in_rejected += rejected
        copies.in_topic += not rejected
        copies.last = place
        return True

    def settle(self) -> int:
        """Record which events arrived and which came too often.

        Returns how many are only in the rejected topic.
        """
        only_rejected = 0
        for copies in self._copies.values():
            arrived = copies.numbers[: copies.in_topic + copies.in_rejected]
            only_rejected += max(len(arrived) - copies.in_topic, 0)
            for number in arrived:
                self.sequence.seen.add(number)
            if too_many := copies.in_topic + copies.in_rejected - len(arrived):
                example = Example(self.sequence.name(copies.numbers[0]), copies.last)
                self.sequence.findings.add("duplicated", example, too_many)
        return only_rejected


def _numbers(hashes: bytes) -> array[int]:
    """The hashes of a block as numbers."""
    numbers = array("Q", hashes)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


class ExpectedRun:
    """One run of the producer and its sequences.

    `name` identifies the run; `earliest_ms`: no event of it is older (None: not known). `ended`: the run made
    no further events.
    """

    def __init__(self, name: str, earliest_ms: int | None = None, ended: bool = False) -> None:
        self.name = name
        self.earliest_ms = earliest_ms
        self.ended = ended
        self.findings = Findings()
        self.sequences: dict[Key, ExpectedSequence] = {}
        self.posted = PostedEvents(self)
        self.orders = Orders()
        self.rejected = 0  # events that are only in the rejected topic

    def expect(self, blocks: Iterable[LedgerBlock]) -> None:
        for block in blocks:
            computer, source = block.computer.encode(), block.source.encode()
            if (computer, source) == _POSTED:
                self.posted.expect(block)
                continue
            key = sequence_key(computer, source)
            sequence = self.sequences.get(key)
            if sequence is None:
                sequence = self.sequences[key] = ExpectedSequence(computer, source, self)
            sequence.expect(block.first, block.last, block.hashes)

    def knows(self, key: Key, record_id: int) -> bool:
        sequence = self.sequences.get(key)
        return sequence is not None and record_id in sequence.wanted

    def judged(self, complete: bool) -> RunFindings:
        """Make findings of the missing events: `unseen` while more may come, else `lost`. Call it once."""
        self.rejected += self.posted.settle()
        expected = distinct = at_end = 0
        sequences = [*self.sequences.values(), self.posted.sequence]
        for sequence in sorted(sequences, key=lambda each: (each.computer, each.source)):
            expected += sequence.wanted.count()
            distinct += sequence.arrived().count()
            for interval, passed in sequence.missing_ids():
                at_end += 0 if passed else interval[1] - interval[0] + 1
                self._count_missing(sequence, interval, passed, complete or self.ended)
        return RunFindings(self.name, self.findings, distinct - self.rejected, expected, at_end=at_end)

    def _count_missing(
        self, sequence: ExpectedSequence, interval: Interval, passed: bool, over: bool
    ) -> None:
        for example, count in sequence.missing([interval]):
            if not passed:
                example = Example(example.event, None, "none of its sequence came after it")
            self.findings.add("lost" if passed or over else "unseen", example, count)
