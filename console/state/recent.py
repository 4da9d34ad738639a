"""The last events and the last rejected lines, in the order in which they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile
from threading import Lock
from typing import Generic, Protocol, TypeVar

from console.state.event import Event


class Numbered(Protocol):
    @property
    def sequence(self) -> int: ...


Item = TypeVar("Item", bound=Numbered)
EVENTS_KEPT = 10_000
REJECTED_KEPT = 1_000


@dataclass(frozen=True)
class Rejected:
    """A line that the bridge rejected: `value` has its first bytes, `size` counts all of them."""

    sequence: int
    partition: int
    offset: int
    timestamp: float | None
    reason: str
    endpoint: str
    size: int
    value: bytes


class Recent(Generic[Item]):
    """A ring buffer: the oldest items are removed first."""

    def __init__(self, kept: int) -> None:
        self._lock = Lock()
        self._items: deque[Item] = deque(maxlen=kept)
        self.last = 0

    def add(self, item: Item) -> None:
        with self._lock:
            self._items.append(item)
            self.last = item.sequence

    def newest(self, limit: int, after: int = 0, wanted: Callable[[Item], bool] | None = None) -> list[Item]:
        """At most `limit` items with a sequence above `after`, newest first."""
        with self._lock:
            fresh = list(takewhile(lambda item: item.sequence > after, reversed(self._items)))
        return list(islice(filter(wanted, fresh), limit))


def recent_events() -> Recent[Event]:
    return Recent(EVENTS_KEPT)


def recent_rejected() -> Recent[Rejected]:
    return Recent(REJECTED_KEPT)
