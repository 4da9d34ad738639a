"""How often the cache had the answer to a request, for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import Counter
from prometheus_client.core import Metric

AWAY, EMPTY, FOREIGN = "away", "empty", "foreign"
REASONS = (AWAY, EMPTY, FOREIGN)


class Lookups:
    """Counts the lookups. `state`: by name, why the cache has no entry; None if it has one.

    Every series begins with 0.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.state: dict[str, str | None] = dict.fromkeys(names, AWAY)
        self._hits = Counter(
            "win_event_console_cache_hits",
            "Requests that only the cache could answer yet; or for counts that continue those in the cache.",
            ("kind",),
            registry=None,
        )
        self._misses = Counter(
            "win_event_console_cache_misses",
            "The same requests where the cache was away or empty, or had data of another program.",
            ("kind", "reason"),
            registry=None,
        )
        for name in names:
            self._hits.labels(name)
            for reason in REASONS:
                self._misses.labels(name, reason)

    def count(self, name: str) -> None:
        reason = self.state[name]
        if reason is None:
            self._hits.labels(name).inc()
        else:
            self._misses.labels(name, reason).inc()

    def metrics(self) -> list[Metric]:
        return [*self._hits.collect(), *self._misses.collect()]
