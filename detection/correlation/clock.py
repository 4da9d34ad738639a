"""How far event time has come: a watermark over several inputs, which one wrong clock cannot move. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from producer.events.event_time import TICKS

NEVER = -(2**62)
END = 2**62
_NEAR = 60 * TICKS  # a step forward up to this, or up to the lateness, is trusted at once …
_FEW = 3  # … a longer one after so many events in a row that are as far, from two computers …
_FAR = 3600 * TICKS  # … and one further away than this, in either direction, …
_ENOUGH = 20  # … after so many; also one of which a single computer among others tells


@dataclass
class _Input:
    """`by`: the computer whose event time it is; `alone`: no other one has told the same yet.

    `odd`: events in a row that are far away, the last of each computer in `far`.
    """

    newest: int = NEVER
    by: str = ""
    alone: bool = True
    odd: int = 0
    far: dict[str, int] = field(default_factory=dict)

    def set(self, time: int, by: str, alone: bool) -> None:
        self.newest, self.by, self.alone, self.odd, self.far = time, by, alone, 0, {}


@dataclass
class Clock:
    """Times are in ticks. The slowest input that is not idle counts, minus `lateness`."""

    lateness: int
    inputs: dict[str, _Input] = field(default_factory=dict)
    idle: set[str] = field(default_factory=set)

    def expect(self, name: str) -> None:
        """Add an input that has no events yet: the watermark waits for it."""
        self.inputs.setdefault(name, _Input())

    def observe(self, name: str, time: int, computer: str = "") -> None:
        """Take the time of an event of this input, written by `computer`."""
        seen = self.inputs.setdefault(name, _Input())
        self.idle.discard(name)
        step, near = time - seen.newest, max(self.lateness, _NEAR)
        if seen.newest == NEVER:
            seen.set(time, computer, alone=True)
        elif abs(step) <= near:
            seen.set(max(seen.newest, time), computer, seen.alone and seen.by == computer)
        elif step < 0 and seen.alone and computer != seen.by:
            # Two clocks differ, and no third one has spoken: with the earlier one, no event is late.
            seen.set(time, computer, alone=True)
        elif not -_FAR <= step < 0:
            _jump(seen, time, computer)

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


def _jump(seen: _Input, time: int, computer: str) -> None:
    """Follow a time that is far away, if enough events tell of it."""
    ahead = time > seen.newest
    if any((other > seen.newest) != ahead for other in seen.far.values()):
        seen.odd, seen.far = 0, {}
    seen.odd += 1
    seen.far[computer] = time
    several = len(seen.far) > 1
    trusted = several or (seen.alone and seen.by == computer)
    if seen.odd >= (_FEW if trusted and abs(time - seen.newest) <= _FAR else _ENOUGH):
        # Two computers have come as far as the one that is behind the other.
        seen.set(sorted(seen.far.values())[-2] if several else time, computer, alone=not several)
