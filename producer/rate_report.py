"""Says every ten seconds, and at the end, what was asked and what was achieved."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from producer.log.feeder import Feeder

_log = logging.getLogger("producer.rate_report")
_EVERY_SECONDS = 10.0


@dataclass
class Status:
    """`tick` is called every second, from the feeder's thread. `rate` None: as fast as it goes."""

    rate: float | None
    feeder: Feeder | None = None
    achieved: float = 0.0  # events a second, over the last period
    _since: float = field(default_factory=time.monotonic)
    _paced: int = 0

    def tick(self, clients: int) -> None:
        now = time.monotonic()
        if self.feeder is None or now - self._since < _EVERY_SECONDS:
            return
        self.achieved = (self.feeder.paced - self._paced) / (now - self._since)
        self._since, self._paced = now, self.feeder.paced
        _log.info(
            "asked %s, achieved %.1f events/s, late %.3f s; %d events, %d clients",
            self._asked(), self.achieved, self.feeder.late, self.feeder.made, clients,
        )  # fmt: skip

    def finish(self) -> None:
        """The whole run in one line."""
        feeder = self.feeder
        if feeder and feeder.paced:
            seconds = max(feeder.elapsed, 1e-9)
            achieved = max(feeder.paced - 1, 1) / seconds  # the first event is due at once
            _log.info(
                "asked %s, achieved %.1f events/s over %.1f s, at most %.3f s late; %d events",
                self._asked(), achieved, seconds, feeder.latest, feeder.made,
            )  # fmt: skip

    def _asked(self) -> str:
        return "as fast as possible" if self.rate is None else f"{self.rate:g} events/s"
