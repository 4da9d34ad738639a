"""The audit against runs whose events are all known. Pure.

A record belongs to the run that produced exactly these bytes, so any number of runs may share a topic. A
record whose event is not in any ledger yet waits, because the ledger of a running producer is up to a second
late. All later records of its computer wait with it, so that their order can be judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from consumer.events.identity import Identity, identify_damaged
from consumer.verify.audit.audit import NO_COMPUTER, Audit, Expectations, sequence_key, why_no_event
from consumer.verify.audit.findings import SHOWN, Example, event_name
from consumer.verify.audit.records import Fingerprint, Key, OrderingKey, Place, PlaceOf, Record, RejectedLine
from consumer.verify.audit.run import ExpectedRun, ExpectedSequence
from producer.events.event_time import to_milliseconds
from producer.events.line_rule import parse_object

_MOST_WAITING = 200_000  # records; about 60 MB
_BYTES_DIFFER = "its bytes differ from the produced ones"


class _Item(NamedTuple):
    """A record without its bytes. `broken`: why it is no event; `key_problem`: what is wrong with its key.

    For a line without identity, `source` is its beginning and the computer is empty.
    """

    computer: bytes
    source: bytes
    record_id: int
    timestamp: bytes
    ordering_key: OrderingKey
    place: Place
    fingerprint: int
    key_problem: str = ""
    broken: str = ""

    @property
    def key(self) -> Key:
        return sequence_key(self.computer, self.source)

    def name(self) -> str:
        return event_name(self.computer, self.source, self.record_id)


class ComparedAudit(Audit):
    """An audit against known runs. `runs` may get further blocks between two calls; then call `settle`."""

    def __init__(
        self,
        expectations: Expectations,
        fingerprint: Fingerprint,
        place_of: PlaceOf,
        runs: Sequence[ExpectedRun],
    ) -> None:
        super().__init__(expectations, fingerprint, place_of)
        self._runs = runs
        self._current: dict[tuple[bytes, bytes], ExpectedSequence] = {}  # by the names as written in the line
        self._waiting: dict[bytes, deque[_Item]] = {}  # by computer
        self._number_waiting = 0

    def take(self, records: Iterable[Record]) -> None:
        """Judge one batch, in the order in which it was read."""
        fingerprint, find, waiting = self._fingerprint, self._current.get, self._waiting
        keyed, since = self._keyed or not self._by_computer, self._since
        times: list[tuple[bytes, int]] = []
        add_time = times.append
        count = 0
        for value, key, partition, offset, appended in records:
            count += 1
            identity = identify_damaged(value)
            if identity is None:
                self._take_unidentified(value, key, partition, offset, appended)
                continue
            computer, source, record_id, timestamp = identity
            if since is not None and self._is_older(timestamp, appended):
                continue
            if appended > 0:
                add_time((timestamp, appended))
            sequence = find((computer, source))
            if (
                sequence is not None
                and record_id == sequence.next_id
                and partition == sequence.ordering_key
                and timestamp >= sequence.order.latest
                and 0 <= (index := record_id - sequence.base) < len(sequence.hashes)
                and sequence.hashes[index] == fingerprint(value)
                and (not keyed or key == computer)
                and computer not in waiting
            ):
                sequence.next_id = record_id + 1
                sequence.newest = sequence.order.latest = timestamp
            else:
                self._take_slowly(value, key, partition, offset, identity)
        self.records += count
        self.times.add(times)

    def take_rejected(self, line: RejectedLine, place: Place) -> None:
        """A line of the rejected topic: the event with its bytes, if there is one, is then not missing."""
        fingerprint = self._fingerprint(line.value)
        if identity := identify_damaged(line.value):
            computer, source, record_id, timestamp = identity
            item = _Item(computer, source, record_id, timestamp, None, place, fingerprint)
            if sequence := self._match(item):
                self._account_rejected(sequence, record_id, place)
                return
        self._account_posted(fingerprint, place, rejected=True)

    def settle(self) -> None:
        """Judge the waiting records again, after `runs` got further blocks."""
        for computer in list(self._waiting):
            self._drain(computer)

    @property
    def waits(self) -> bool:
        """Whether records wait because no ledger has them yet."""
        return bool(self._waiting)

    def finish(self) -> None:
        """End the audit: nothing more will be known, so records that still wait were never produced."""
        for computer in list(self._waiting):
            while computer in self._waiting:
                self._settle_first(computer)

    def _take_slowly(
        self, value: bytes, key: bytes | None, partition: int | None, offset: int, identity: Identity
    ) -> None:
        """Judge a record that is not simply the next of its sequence, as it was produced."""
        computer, source, record_id, timestamp = identity
        place, ordering_key = self._place_of(partition, offset), self._ordering_key(partition, key)
        problem = self._key_problem(value, key, computer)
        item = _Item(
            computer, source, record_id, timestamp, ordering_key, place, self._fingerprint(value), problem
        )
        if computer not in self._waiting and self._count_known(item):
            return
        item = item._replace(broken=why_no_event(value, ()))
        if computer in self._waiting or self._may_become_known(item):
            self._wait(item)
        else:
            self._count_unknown(item)

    def _take_unidentified(
        self, value: bytes, key: bytes | None, partition: int | None, offset: int, appended: int
    ) -> None:
        """Judge a line without computer, channel and id.

        A caller posted it, or it has another shape, or it is not an event.
        """
        if self._is_older(b"", appended):
            return
        item = _Item(
            b"", value[:SHOWN], 0, b"", None, self._place_of(partition, offset), self._fingerprint(value),
            self._key_problem(value, key, NO_COMPUTER), why_no_event(value, self._expectations.key_fields),
        )  # fmt: skip
        if b"" not in self._waiting and self._count_known(item):
            return
        # The intake accepts only objects; the block that contains it may come later.
        if not all(run.ended for run in self._runs) and parse_object(value) is not None:
            self._wait(item)
        else:
            self._count_unknown(item)

    def _match(self, item: _Item) -> ExpectedSequence | None:
        """The sequence that produced exactly this record, if any."""
        for run in self._runs:
            sequence = run.sequences.get(item.key)
            if sequence is not None and sequence.is_hash_of(item.record_id, item.fingerprint):
                return sequence
        return None

    def _count_known(self, item: _Item) -> bool:
        """Judge a record that some run produced; False if none did."""
        sequence = self._match(item)
        if sequence is None:
            return self._count_posted(item)
        self._current[item.computer, item.source] = sequence
        if sequence.take(item.record_id, item.place):
            order = sequence.run.orders.of(item.computer, item.ordering_key)
            late = sequence.is_late(item.record_id, item.timestamp, item.ordering_key, order)
            self._count_order(sequence, item.record_id, late, item.place)
            self._give_claim_away(sequence, item.record_id, item.place)
            if sequence.claimed and sequence.claimed.last >= sequence.next_id:
                sequence.leave_lane()  # the fast path does not look at claims
        else:
            sequence.findings.add("duplicated", Example(item.name(), item.place))
        if item.key_problem:
            sequence.findings.add("corrupt", Example(item.name(), item.place, item.key_problem))
        return True

    def _count_unknown(self, item: _Item) -> None:
        """Judge a record that no run produced in this form."""
        if not item.computer:
            self._count_unidentified(item.source, item.broken, item.key_problem, item.place)
        elif item.broken:
            self._count_damaged(item, f"not an event ({item.broken})")
        elif self._is_of_another_run(item):
            self.findings.add("other run", Example(item.name(), item.place))
        elif any(run.knows(item.key, item.record_id) for run in self._runs):
            self._count_damaged(item, _BYTES_DIFFER)
        else:
            self.findings.add("invented", Example(item.name(), item.place))

    def _count_damaged(self, item: _Item, problem: str) -> None:
        """Count a damaged record as the arrival of the event that has its id."""
        self.findings.add("corrupt", Example(item.name(), item.place, problem))
        if self._is_of_another_run(item):
            return
        known = [run for run in self._runs if run.knows(item.key, item.record_id)]
        if known and not self._claim(item.key, item.record_id):
            known[0].findings.add("duplicated", Example(item.name(), item.place))

    def _claim(self, key: Key, record_id: int) -> bool:
        """Count a damaged copy as the event of the first run that misses it; False if none misses it."""
        for run in self._runs:
            sequence = run.sequences.get(key)
            if (
                sequence is not None
                and record_id in sequence.wanted
                and record_id not in sequence
                and sequence.claimed.add(record_id)
            ):
                sequence.leave_lane()
                return True
        return False

    def _give_claim_away(self, sequence: ExpectedSequence, record_id: int, place: Place) -> None:
        """The undamaged event arrived: the damaged copy counts for another run, or as a second copy."""
        key = sequence_key(sequence.computer, sequence.source)
        if sequence.claimed.discard(record_id) and not self._claim(key, record_id):
            sequence.findings.add("duplicated", Example(sequence.name(record_id), place))

    def _account_rejected(self, sequence: ExpectedSequence, record_id: int, place: Place) -> None:
        if sequence.take(record_id, place):
            sequence.run.rejected += 1
            self._give_claim_away(sequence, record_id, place)
        else:
            sequence.findings.add("duplicated", Example(sequence.name(record_id), place))

    def _count_posted(self, item: _Item) -> bool:
        if not self._account_posted(item.fingerprint, item.place, rejected=False):
            return False
        if item.key_problem:
            self.findings.add("corrupt", Example("a posted event", item.place, item.key_problem))
        return True

    def _account_posted(self, fingerprint: int, place: Place, *, rejected: bool) -> bool:
        """Whether a caller posted this line; its order is not judged, because it may have any key."""
        return any(run.posted.take(fingerprint, place, rejected=rejected) for run in self._runs)

    def _is_of_another_run(self, item: _Item) -> bool:
        """Whether the event is older than every run that it is compared with."""
        begins = [run.earliest_ms for run in self._runs]
        happened = to_milliseconds(item.timestamp)
        return happened is not None and all(begin is not None and happened < begin for begin in begins)

    def _may_become_known(self, item: _Item) -> bool:
        """Whether the ledger of a running producer may still get this event."""
        if not item.computer:
            return not all(run.ended for run in self._runs)
        if all(run.ended or run.knows(item.key, item.record_id) for run in self._runs):
            return False
        return not self._is_of_another_run(item)

    def _wait(self, item: _Item) -> None:
        self._waiting.setdefault(item.computer, deque()).append(item)
        self._number_waiting += 1
        if self._number_waiting > _MOST_WAITING:
            self._settle_first(item.computer)

    def _settle_first(self, computer: bytes) -> None:
        """Judge the first waiting record of a computer, known or not, and the known ones that follow it."""
        item = self._waiting[computer].popleft()
        self._number_waiting -= 1
        if not self._count_known(item):
            self._count_unknown(item)
        self._drain(computer)

    def _drain(self, computer: bytes) -> None:
        queue = self._waiting[computer]
        while queue:
            if not self._count_known(queue[0]):
                if self._may_become_known(queue[0]):
                    return
                self._count_unknown(queue[0])
            queue.popleft()
            self._number_waiting -= 1
        del self._waiting[computer]
