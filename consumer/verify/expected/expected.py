"""What should be in the topic: blocks of record ids, each with the sum of its lines' hashes. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from consumer.verify.audit.intervals import Interval, Intervals
from consumer.verify.audit.sequence import Sequence
from producer.log.ledger import LedgerBlock, add_hashes

Key = tuple[bytes, bytes]  # computer, source


@dataclass
class ExpectedSequence:
    """The blocks of one sequence in rising order, and the sums of what was really read."""

    blocks: list[LedgerBlock] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)
    ids: Intervals = field(default_factory=Intervals)
    # Ids whose hashes came before their block was known: nothing can be said about their bytes.
    too_early: Intervals = field(default_factory=Intervals)

    def add(self, block: LedgerBlock) -> None:
        at = bisect_right(self.firsts, block.first)
        self.firsts.insert(at, block.first)
        self.blocks.insert(at, block)
        self.sums.insert(at, 0)
        self.ids.add_range(block.first, block.last)

    def add_hashes(self, first: int, hashes: array[int]) -> None:
        """The hashes of ids first, first + 1, …; 0 where an id was not seen."""
        for gap in self.ids.gaps(first, first + len(hashes) - 1):
            self.too_early.add_range(*gap)
        at = max(bisect_right(self.firsts, first) - 1, 0)
        end = first + len(hashes)
        while at < len(self.blocks) and self.firsts[at] < end:
            block = self.blocks[at]
            of_block = hashes[max(block.first - first, 0) : max(block.last - first + 1, 0)]
            self.sums[at] = add_hashes((self.sums[at], *of_block))
            at += 1

    def damaged(self, seen: Intervals) -> list[Interval]:
        """Blocks that were read in full and whose hashes do not add up."""
        return [
            (block.first, block.last)
            for block, found in zip(self.blocks, self.sums, strict=True)
            if found != block.hash and self._has_sum(block, seen)
        ]

    def open(self, seen: Intervals) -> Iterator[Interval]:
        """Blocks that were read in part, or too early: their sum says nothing."""
        for block in self.blocks:
            if not self._has_sum(block, seen) and seen.meets(block.first, block.last):
                yield block.first, block.last

    def _has_sum(self, block: LedgerBlock, seen: Intervals) -> bool:
        whole = not any(True for _ in seen.gaps(block.first, block.last))
        return whole and not self.too_early.meets(block.first, block.last)


class Expected:
    """All expected sequences."""

    def __init__(self, blocks: Iterable[LedgerBlock] = ()) -> None:
        self.sequences: dict[Key, ExpectedSequence] = {}
        self.extend(blocks)

    def extend(self, blocks: Iterable[LedgerBlock]) -> None:
        for block in blocks:
            key = (block.computer.encode(), block.source.encode())
            self.sequences.setdefault(key, ExpectedSequence()).add(block)

    def count(self) -> int:
        return sum(sequence.ids.count() for sequence in self.sequences.values())

    def has(self, sequence: Sequence, record_id: int) -> bool:
        """Whether this id is expected of the sequence."""
        expected = self.sequences.get((sequence.computer, sequence.source))
        return expected is not None and record_id in expected.ids

    def add_chunk(self, sequence: Sequence, first: int, chunk: array[int]) -> None:
        """The audit lets go of these hashes: add them to the sums of their blocks."""
        key = (sequence.computer, sequence.source)
        self.sequences.setdefault(key, ExpectedSequence()).add_hashes(first, chunk)
