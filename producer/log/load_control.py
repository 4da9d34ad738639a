"""Requests of other threads to the feeder: stop, continue, change the rate, start a scenario."""

from __future__ import annotations

import threading
from collections import deque


class LoadControl:
    """Thread-safe. `rate` is in events per second; None is as fast as possible.

    `version` increases with every change.
    """

    def __init__(self, rate: float | None, running: bool = True) -> None:
        self._lock = threading.Lock()
        self._rate, self._running = rate, running
        self._scenarios: deque[str] = deque()
        self.version = 0
        self.is_over = False  # the load has ended: all of --count is made, or someone ended it

    @property
    def rate(self) -> float | None:
        return self._rate

    @property
    def is_running(self) -> bool:
        return self._running

    def set_rate(self, rate: float | None) -> None:
        with self._lock:
            if rate != self._rate:
                self._rate = rate
                self.version += 1

    def set_running(self, running: bool) -> None:
        with self._lock:
            if running != self._running:
                self._running = running
                self.version += 1

    @property
    def waiting_scenarios(self) -> int:
        return len(self._scenarios)

    def ask_for(self, scenario: str) -> None:
        """Start this scenario with the next events."""
        self._scenarios.append(scenario)

    def take_scenarios(self) -> list[str]:
        taken = []
        while self._scenarios:
            taken.append(self._scenarios.popleft())
        return taken
