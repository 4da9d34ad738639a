"""How far event time has come: a watermark over several inputs, which one wrong clock cannot move. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from producer.events.event_time import TICKS

NEVER = -(2**62)
END = 2**62
_NEAR = 60 * TICKS  # a step forward up to this, or up to the lateness, is trusted at once …
_FEW = 3  # … a longer one after so many events in a row that are as far …
_FAR = 3600 * TICKS  # … and one further away than this, in either direction, …
_ENOUGH = 20  # … after so many


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
        step = time - seen.newest
        if seen.newest == NEVER or -_FAR <= step <= max(self.lateness, _NEAR):
            seen.newest, seen.odd = max(seen.newest, time), 0
            return
        seen.odd += 1
        if seen.odd >= (_ENOUGH if abs(step) > _FAR else _FEW):
            seen.newest, seen.odd = time, 0

    def rest(self, name: str) -> None:
        """Mark an input as idle: it does not hold back the watermark."""
        self.idle.add(name)

    @property
    def watermark(self) -> int:
        """No event that is in time is older than this. If all inputs `rest`, the newest one counts."""
        active = [each.newest for name, each in self.inputs.items() if name not in self.idle]
        if not active:
            newest = max((each.newest for each in self.inputs.values()), default=NEVER)
            return newest if newest == NEVER else newest - self.lateness
        slowest = min(active)
        return slowest if slowest == NEVER else slowest - self.lateness
