"""Reports once that an endpoint is away, and once that it is back."""

from __future__ import annotations

import time
from collections.abc import Callable


class Outage:
    """The state of one endpoint. `say` is called with each sentence."""

    def __init__(self, endpoint: str, say: Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._say = say
        self._since: float | None = None

    def begin(self, reason: str) -> None:
        if self._since is None:
            self._since = time.monotonic()
            self._say(f"{self._endpoint}: {reason}; trying again until it answers")

    def end(self) -> None:
        if self._since is not None:
            self._say(f"{self._endpoint}: back after {time.monotonic() - self._since:.1f} s")
            self._since = None
