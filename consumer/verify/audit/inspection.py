"""The second look: reads again what lies in blocks that do not add up, to name the damaged records. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import itemgetter

from consumer.events.identity import identify_damaged, identify_parsed
from consumer.verify.audit.audit import Fingerprint, Record
from consumer.verify.audit.findings import Finding, Findings, Place, event_name
from consumer.verify.audit.intervals import Interval, Intervals
from consumer.verify.expected.expected import Key

# Naming costs about 150 bytes an id; where more is suspect, blocks are named instead of records.
MOST_SUSPECTS = 500_000
_BLOCK = "one event or more has other bytes than were produced"


@dataclass
class Suspects:
    """`damaged`: blocks read in full whose hashes do not add up. `open`: ids whose block cannot be added up.

    `invented`: ids that nobody produced; their place is wanted.
    """

    damaged: dict[Key, list[Interval]] = field(default_factory=dict)
    open: dict[Key, Intervals] = field(default_factory=dict)
    invented: dict[Key, Intervals] = field(default_factory=dict)

    def ids(self) -> dict[Key, Intervals]:
        """Damaged and open ones."""
        keys = self.damaged.keys() | self.open.keys()
        return {key: Intervals([*self.open.get(key, ()), *self.damaged.get(key, ())]) for key in keys}

    def and_open(self, ids: dict[Key, Intervals]) -> Suspects:
        """The same and these ids."""
        keys = self.open.keys() | ids.keys()
        more = {key: Intervals([*self.open.get(key, ()), *ids.get(key, ())]) for key in keys}
        return replace(self, open=more)

    def without(self, ids: dict[Key, Intervals]) -> Suspects:
        """The same but for damaged blocks that hold one of these ids: what damaged them is known."""
        damaged = {
            key: [block for block in blocks if not ids.get(key, Intervals()).meets(*block)]
            for key, blocks in self.damaged.items()
        }
        return replace(self, damaged=damaged)

    def name_blocks(self, findings: Findings) -> None:
        """Put every damaged block down as one corrupt event."""
        for key, blocks in self.damaged.items():
            for block in blocks:
                findings.add("corrupt", Finding(event_name(*key, *block), None, _BLOCK))

    def count(self) -> int:
        return sum(ids.count() for ids in self.ids().values())

    def __bool__(self) -> bool:
        return bool(self.damaged or self.open or self.invented)


class Inspection:
    """Compares suspect records one by one: by hash where `hashes` are known, else whether they are JSON.

    Without hashes a damaged record may hide behind valid JSON: then its block is named as a whole.
    """

    def __init__(
        self,
        origin: str,
        suspects: Suspects,
        findings: Findings,
        fingerprint: Fingerprint,
        hashes: dict[Key, dict[int, int]] | None,
    ) -> None:
        self.not_compared = 0
        self._origin = origin
        self._suspects = suspects
        self._ids = suspects.ids()
        self._places: dict[tuple[Key, Interval], tuple[Place, Place]] = {}
        self._explained: set[tuple[Key, Interval]] = set()
        self._findings = findings
        self._fingerprint = fingerprint
        self._hashes = hashes
        if suspects.invented:
            findings.forget_examples("invented")

    def take(self, records: Iterable[Record]) -> None:
        """The same records in the same order as the first time."""
        suspects, invented = self._ids, self._suspects.invented
        for value, _, partition, offset, _ in records:
            identity = identify_damaged(value)
            if identity is None:
                continue  # the first reading has told
            computer, source, record_id, _ = identity
            key = (computer, source)
            if key in suspects and record_id in suspects[key]:
                self._look_at(key, record_id, value, Place(self._origin, partition, offset))
            elif key in invented and record_id in invented[key]:
                place = Place(self._origin, partition, offset)
                self._findings.name("invented", Finding(event_name(*key, record_id), place))

    def finish(self) -> None:
        """Name the damaged blocks in which no single record could be named."""
        if self._hashes is not None:
            return
        for key, blocks in self._suspects.damaged.items():
            for block in blocks:
                if (key, block) not in self._explained:
                    self._name_block(key, block)

    def _look_at(self, key: Key, record_id: int, value: bytes, place: Place) -> None:
        block = self._damaged_block(key, record_id)
        problem = self._problem(key, record_id, value)
        if problem:
            self._findings.add("corrupt", Finding(event_name(*key, record_id), place, problem))
            if block:
                self._explained.add((key, block))
        elif self._hashes is None and block is None:
            self.not_compared += 1
        elif block:
            first, _ = self._places.get((key, block), (place, place))
            self._places[key, block] = (first, place)

    def _damaged_block(self, key: Key, record_id: int) -> Interval | None:
        blocks = self._suspects.damaged.get(key, [])
        at = bisect_right(blocks, record_id, key=itemgetter(0)) - 1
        return blocks[at] if at >= 0 and record_id <= blocks[at][1] else None

    def _problem(self, key: Key, record_id: int, value: bytes) -> str:
        if self._hashes is None:
            parsed = identify_parsed(value)
            return "" if parsed and parsed[:3] == (*key, record_id) else "not the JSON of an event"
        expected = self._hashes[key].get(record_id)
        return "" if expected in (None, self._fingerprint(value)) else "its bytes are not those produced"

    def _name_block(self, key: Key, block: Interval) -> None:
        first, last = self._places.get((key, block), (None, None))
        to = f"to offset {last.offset}: " if last and last != first else ""
        self._findings.add("corrupt", Finding(event_name(*key, *block), first, f"{to}{_BLOCK}"))
