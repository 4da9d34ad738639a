"""What should be in the topic: blocks of record ids, each with the sum of its lines' hashes. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from consumer.intervals import Interval, Intervals
from consumer.sequence import CHUNK_IDS, Sequence

_MODULUS = 2**64
Key = tuple[bytes, bytes]  # computer, source


@dataclass(frozen=True)
class LedgerBlock:
    computer: str
    source: str
    first: int
    last: int
    hash: int


@dataclass
class ExpectedSequence:
    """The blocks of one sequence in rising order, and the sums of what was really read."""

    blocks: list[LedgerBlock] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)
    ids: Intervals = field(default_factory=Intervals)

    def add(self, block: LedgerBlock) -> None:
        at = bisect_right(self.firsts, block.first)
        self.firsts.insert(at, block.first)
        self.blocks.insert(at, block)
        self.sums.insert(at, 0)
        self.ids.add_range(block.first, block.last)

    def add_hashes(self, first: int, chunk: array[int]) -> None:
        """The hashes of ids first, first + 1, … (0: not seen)."""
        at = max(bisect_right(self.firsts, first) - 1, 0)
        end = first + CHUNK_IDS
        while at < len(self.blocks) and self.firsts[at] < end:
            block = self.blocks[at]
            here = chunk[max(block.first - first, 0) : max(block.last - first + 1, 0)]
            self.sums[at] = (self.sums[at] + sum(here)) % _MODULUS
            at += 1

    def damaged(self, seen: Intervals) -> list[Interval]:
        """Blocks that were read in full and whose hashes do not add up."""
        return [
            (block.first, block.last)
            for block, found in zip(self.blocks, self.sums, strict=True)
            if found != block.hash and not any(seen.gaps(block.first, block.last))
        ]


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

    def add_chunk(self, sequence: Sequence, first: int, chunk: array[int]) -> None:
        """The audit lets go of these hashes: add them to the sums of their blocks."""
        expected = self.sequences.get((sequence.computer, sequence.source))
        if expected is not None:
            expected.add_hashes(first, chunk)
