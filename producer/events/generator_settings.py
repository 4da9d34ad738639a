"""All settings that influence the bytes of the generator. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

DEFAULT_CHANNEL_MIX = {"Security": 85.0, "System": 9.0, "Application": 6.0}
BUILT_IN = Path(__file__).parent / "catalogue"


@dataclass(frozen=True)
class GeneratorSettings:
    """Everything that decides which bytes come out.

    Without `start_time` events carry the wall clock and only their timestamps differ from run to run.
    `backfill`: seconds of history that come first, stamped by event time up to now.
    `host_rate`: events a second that an average computer writes, in event time (1.6 is the measured median).
    """

    seed: int = 1
    hosts: int = 10
    profile: str = "mixed"
    fmt: str = "flat"
    labels: bool = False
    scenarios: tuple[str, ...] = ()
    start_time: datetime | None = None
    catalogue: Path = BUILT_IN
    channel_mix: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_CHANNEL_MIX))
    host_rate: float = 1.6
    rate_pattern: str = "constant"
    backfill: float = 0.0
    run: int = 1  # the runs that share one log directory tell different events

    def as_json(self) -> dict[str, Any]:
        """As the ledger keeps them; `catalogue` is null for the built-in one."""
        start = self.start_time.isoformat() if self.start_time else None
        catalogue = None if self.catalogue == BUILT_IN else str(self.catalogue)
        return {**vars(self), "start_time": start, "catalogue": catalogue, "scenarios": list(self.scenarios)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> GeneratorSettings:
        """The reverse. Raises ValueError, TypeError when they are those of another version."""
        start, catalogue = values.get("start_time"), values.get("catalogue")
        read = {
            "start_time": datetime.fromisoformat(start) if start else None,
            "catalogue": Path(catalogue) if catalogue else BUILT_IN,
            "scenarios": tuple(values.get("scenarios", ())),
        }
        return cls(**{**values, **read})


def runs_ahead(settings: GeneratorSettings, rate: float | None, count: int | None, now: datetime) -> str:
    """What to tell when event times will overtake the clock; empty when they will not.

    With a fixed start, event time goes by events: hosts × host_rate of them are one second of it.
    """
    if settings.start_time is None:
        return ""
    natural = settings.hosts * settings.host_rate
    lead = (settings.start_time - now).total_seconds()
    if rate is None:
        overtaken = lead > 0 or count is None or lead + count / natural > 0
        after = "at once" if lead > 0 else f"after {-lead * natural:,.0f} events"
    elif rate <= natural and lead <= 0:
        return ""
    else:
        seconds = max(-lead, 0.0) / (rate / natural - 1.0) if rate > natural else 0.0
        overtaken = count is None or count / rate > seconds or lead > 0
        after = f"after {seconds * rate:,.0f} events ({seconds:,.0f} s)" if seconds else "at once"
    if not overtaken:
        return ""
    wanted = f"--host-rate {rate / settings.hosts:g} or more" if rate else "a higher --host-rate"
    return (
        f"event times run ahead of the clock {after}: {settings.hosts} hosts × {settings.host_rate:g} events "
        "are a second of it. A broker refuses records that are more than an hour ahead. "
        f"Set {wanted}, an earlier --start-time, or leave --start-time out"
    )
