"""The part that all audits share: how one record is judged. Pure.

Memory grows with the number of sequences, gaps and examples, never with the number of records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consumer.verify.audit.findings import Example, Findings, shown
from consumer.verify.audit.latency import AppendTimes
from consumer.verify.audit.records import Fingerprint, Key, OrderingKey, Place, PlaceOf, Record, RejectedLine
from consumer.verify.audit.sequence import Order, Sequence
from producer.event_fields import KEY_FIELDS
from producer.events.event_time import to_milliseconds
from producer.events.line_rule import read_line

NO_COMPUTER = b"\0"  # no key has this name
_ANY_LENGTH = 2**62  # the bridge decides how long a line may be


@dataclass(frozen=True)
class Expectations:
    """What must be true of every record.

    `keyed`: records have a key (a topic); `key_fields`: the fields it is made from; none: any key is right.
    `ordered`: the events of a computer are in order. `since_ms`: older events are skipped.
    """

    keyed: bool = False
    key_fields: tuple[str, ...] = KEY_FIELDS
    ordered: bool = True
    since_ms: int | None = None


class Audit:
    """The counts of an audit, and how one record is judged.

    `place_of` returns the place of a record; `fingerprint` returns 64 bits of a line.
    """

    def __init__(self, expectations: Expectations, fingerprint: Fingerprint, place_of: PlaceOf) -> None:
        self.records = 0
        self.passed_over = 0  # older than --since
        self.findings = Findings()  # findings about records that belong to no run
        self.times = AppendTimes()
        self._expectations = expectations
        self._fingerprint = fingerprint
        self._place_of = place_of
        self._since = expectations.since_ms
        # Only then does the order of partitions count; otherwise each key of a partition has its own order.
        self._by_computer = expectations.key_fields == KEY_FIELDS or not expectations.keyed
        self._keyed = expectations.keyed and bool(expectations.key_fields)
        self._ordered = expectations.ordered and bool(expectations.key_fields or not expectations.keyed)

    def take(self, records: Iterable[Record]) -> None:
        """Judge one batch, in the order in which it was read."""
        raise NotImplementedError

    def _is_older(self, timestamp: bytes, appended: int) -> bool:
        """Whether --since skips this event, by its time, or by that of the record if it has none."""
        if self._since is None:
            return False
        happened = to_milliseconds(timestamp)
        older = (appended or self._since if happened is None else happened) < self._since
        self.passed_over += older
        return older

    def is_older_rejected(self, line: RejectedLine) -> bool:
        """Whether --since skips this rejected line, because it was rejected before."""
        return self._since is not None and 0 < line.timestamp < self._since

    def _ordering_key(self, partition: int | None, key: bytes | None) -> OrderingKey:
        return partition if self._by_computer else (partition, key)

    def _key_problem(self, value: bytes, key: bytes | None, computer: bytes) -> str:
        """What is wrong with the key of a record; empty if it is right."""
        if not self._keyed or (self._by_computer and key == computer):
            return ""
        if key is None:
            return "has no key"
        wanted = read_line(value, self._expectations.key_fields, _ANY_LENGTH).key
        return "" if wanted is not None and key == wanted.encode() else f"has the key {shown(key)!r}"

    def _count_order(self, sequence: Sequence, record_id: int, late: str, place: Place) -> None:
        if late and self._ordered:
            sequence.findings.add("reordered", Example(sequence.name(record_id), place, late))

    def _count_unidentified(self, line: bytes, broken: str, key_problem: str, place: Place) -> None:
        """Count a line without computer, channel and record id.

        It has another shape or, if `broken` gives a reason, it is not an event.
        """
        if broken:
            self.findings.add("corrupt", Example("", place, f"not an event ({broken}): {shown(line)!r}"))
            return
        self.findings.add("unknown shape", Example("", place, shown(line)))
        if key_problem:
            self.findings.add("corrupt", Example("", place, key_problem))


class Orders:
    """The order of every computer at every ordering key."""

    def __init__(self) -> None:
        self._orders: dict[tuple[bytes, OrderingKey], Order] = {}

    def of(self, computer: bytes, ordering_key: OrderingKey) -> Order:
        order = self._orders.get((computer, ordering_key))
        if order is None:
            order = self._orders[computer, ordering_key] = Order()
        return order


def why_no_event(value: bytes, key_fields: tuple[str, ...]) -> str:
    """The reason why the bridge would reject a line; empty if it would not."""
    found = read_line(value, key_fields or KEY_FIELDS, _ANY_LENGTH)
    without_key = found.reason is not None and found.reason.startswith("missing:")
    return "" if without_key and not key_fields else found.reason or ""


def sequence_key(computer: bytes, source: bytes) -> Key:
    """The key of a sequence."""
    return computer, source.lower()
