"""Reports the requested and the achieved rate every ten seconds and at the end.

A producer that a shell has put into the background (`&`) reports only at the end: it would write into the
commands that somebody types there.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import deque
from dataclasses import dataclass, field

from producer.log.feeder import Feeder

_log = logging.getLogger("producer.rate_report")
_EVERY_TICKS = 10


@dataclass
class RateReport:
    """Reports the rate. `tick` is called every second; `achieved` is the rate of the last ten seconds."""

    feeder: Feeder
    achieved: float = 0.0  # events per second
    _ticks: int = 0
    _readings: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_EVERY_TICKS + 1))

    def tick(self, clients: int) -> None:
        self._readings.append((time.monotonic(), self.feeder.paced))
        (begin, first), (end, last) = self._readings[0], self._readings[-1]
        self.achieved = (last - first) / (end - begin) if end > begin else 0.0
        self._ticks += 1
        if self._ticks % _EVERY_TICKS == 0 and not self.feeder.control.is_over and not in_background():
            _log.info(
                "asked %s, achieved %.1f events/s, late %.3f s; %d events, %d clients",
                self._asked(), self.achieved, self.feeder.late, self.feeder.made, clients,
            )  # fmt: skip

    def finish(self) -> None:
        """One line about the whole run."""
        feeder = self.feeder
        if feeder.paced:
            seconds = max(feeder.elapsed, 1e-9)
            achieved = max(feeder.paced - 1, 1) / seconds  # the first event is due at once
            _log.info(
                "asked %s, achieved %.1f events/s over %.1f s, at most %.3f s late; %d events",
                self._asked(), achieved, seconds, feeder.latest, feeder.made,
            )  # fmt: skip

    def _asked(self) -> str:
        rate = self.feeder.control.rate
        return "as fast as possible" if rate is None else f"{rate:g} events/s"


def in_background() -> bool:
    """Whether standard error is a terminal that another program is using now."""
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) != os.getpgrp()
    except (OSError, ValueError):  # a file, a pipe, or closed
        return False
