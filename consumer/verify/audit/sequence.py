"""The record ids seen of one computer's channel in one run, and whether they came in order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consumer.events.intervals import Interval, Intervals
from consumer.verify.audit.findings import Example, Findings, event_name
from consumer.verify.audit.records import OrderingKey, Place
from producer.events.event_time import to_milliseconds

_PLACES_KEPT = 64
_SECONDS_END = len("2026-11-21T09:28:24")
_NOWHERE: OrderingKey = (None, b"none yet")  # no record is there


def is_before(timestamp: bytes, other: bytes) -> bool:
    """Whether one event time is earlier than another. Texts of the same form are compared as texts."""
    if not other or _zone(timestamp) == _zone(other):
        return timestamp < other
    moment, other_moment = to_milliseconds(timestamp), to_milliseconds(other)
    return moment is not None and other_moment is not None and moment < other_moment


def _zone(timestamp: bytes) -> bytes:
    """The text after the digits of a time."""
    return timestamp[_SECONDS_END:].lstrip(b".0123456789 ")


class Order:
    """The events of one computer with one ordering key; `latest` is the latest time of their first copies."""

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest = b""


class Sequence:
    """(computer, source): the newest interval of ids is open at `next_id`, the older ones are in `seen`.

    Most records have the next id. A reader may count such a record itself: it adds 1 to `next_id` and updates
    `order.latest` and `newest`, if the record has this `ordering_key`. All other records go through `take`
    and `is_late`.
    """

    __slots__ = (
        "_counted",
        "_highest",
        "computer",
        "findings",
        "first",
        "newest",
        "next_id",
        "order",
        "ordering_key",
        "places",
        "seen",
        "source",
    )  # fmt: skip

    def __init__(self, computer: bytes, source: bytes, findings: Findings) -> None:
        self.computer = computer
        self.source = source
        self.findings = findings
        self.seen = Intervals()
        self.first = 0
        self.next_id = 0  # 0: nothing seen yet, no record id is 0
        self.places: dict[int, Place] = {}  # of the first id after each gap
        self.ordering_key: OrderingKey = _NOWHERE
        self.order = Order()
        self.newest = b""  # event time of the latest first copy
        self._highest: dict[OrderingKey, int] = {}
        self._counted = 0  # `next_id` at the last update of `_highest`

    def __contains__(self, record_id: int) -> bool:
        return self.first <= record_id < self.next_id or record_id in self.seen

    def take(self, record_id: int, place: Place) -> bool:
        """Mark one id as seen; False if it was seen before."""
        self._keep_up()
        if record_id < self.next_id:
            new = record_id < self.first and self.seen.add(record_id)
        else:
            new = True
            if record_id > self.next_id:
                self._jump(record_id, place)
            self.next_id = record_id + 1
        self._counted = self.next_id
        return new

    def is_late(self, record_id: int, timestamp: bytes, ordering_key: OrderingKey, order: Order) -> str:
        """Why the first copy of an event came too late; empty if it did not. Call it once per first copy."""
        self._keep_up()
        highest = self._highest.get(ordering_key, 0)
        self._highest[ordering_key] = max(highest, record_id)
        if ordering_key != self.ordering_key:
            self.ordering_key, self.order, self.newest = ordering_key, order, b""
        if record_id < highest:
            return f"after {highest}"
        stepped_back = is_before(timestamp, self.newest)  # its id is in order, so the clock was set back
        late = is_before(timestamp, order.latest) and not stepped_back
        self.newest = timestamp
        if not late:
            order.latest = timestamp
        return "after a later event of this computer" if late else ""

    def leave_lane(self) -> None:
        """Use the slow path for all ids, until one arrives in order again."""
        self._keep_up()
        self.ordering_key = _NOWHERE

    def all_seen(self) -> Intervals:
        everything = Intervals(self.seen)
        everything.add_range(self.first, self.next_id - 1)
        return everything

    def name(self, first: int, last: int | None = None) -> str:
        return event_name(self.computer, self.source, first, last)

    def missing(self, ids: Iterable[Interval]) -> Iterator[tuple[Example, int]]:
        """An example for each interval of missing ids, and the number of missing ids."""
        for first, last in ids:
            place = self.places.get(last + 1)  # the first id after a gap shows it
            detail = "missing before this record" if place else ""
            yield Example(self.name(first, last), place, detail), last - first + 1

    def _jump(self, record_id: int, place: Place) -> None:
        """Leave a gap: ids next_id..record_id-1 have not arrived (yet)."""
        if self.next_id:
            self.seen.add_range(self.first, self.next_id - 1)
        if len(self.places) < _PLACES_KEPT:
            self.places[record_id] = place
        self.first = record_id

    def _keep_up(self) -> None:
        if self.next_id != self._counted:
            self._highest[self.ordering_key] = self.next_id - 1
            self._counted = self.next_id
