"""How far event time has come: a watermark over several inputs, which one wrong clock cannot move. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from producer.events.event_time import TICKS

NEVER = -(2**62)
END = 2**62
_FAR = 3600 * TICKS  # a time further away than this is not trusted at once …
_ENOUGH = 20  # … but after so many in a row


@dataclass
class _Input:
    newest: int = NEVER
    odd: int = 0


@dataclass
class Clock:
    """Times are in ticks. The slowest input that is not idle counts, minus `lateness`."""

    lateness: int
    inputs: dict[str, _Input] = field(default_factory=dict)
    idle: set[str] = field(default_factory=set)

    def expect(self, name: str) -> None:
        """Add an input that has no events yet: the watermark waits for it."""
        self.inputs.setdefault(name, _Input())

    def observe(self, name: str, time: int) -> None:
        seen = self.inputs.setdefault(name, _Input())
        self.idle.discard(name)
        if seen.newest == NEVER or abs(time - seen.newest) <= _FAR:
            seen.newest, seen.odd = max(seen.newest, time), 0
            return
        seen.odd += 1
        if seen.odd >= _ENOUGH:
            seen.newest, seen.odd = time, 0

    def rest(self, name: str) -> None:
        """Mark an input as idle: it does not hold back the watermark."""
        self.idle.add(name)

    @property
    def watermark(self) -> int:
        """No event that is in time is older than this. END if all inputs are idle (see `rest`)."""
        active = [each.newest for name, each in self.inputs.items() if name not in self.idle]
        if not active:
            newest = max((each.newest for each in self.inputs.values()), default=NEVER)
            return newest if newest == NEVER else newest - self.lateness
        slowest = min(active)
        return slowest if slowest == NEVER else slowest - self.lateness
