"""The console's metrics for Prometheus: its process, its readers, and the cache."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console.hub import Hub
from console.state.business import TOP, WINDOW, Business


class HubCollector(Collector):
    """Reads the hub's counts for a scrape."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        hub = self._hub
        yield CounterMetricFamily(
            "win_event_console_events", "Events that this console has read.", value=hub.events.last
        )
        yield CounterMetricFamily(
            "win_event_console_skipped_events",
            "Events that were skipped, because they came faster than --max-rate.",
            value=hub.tail.skipped,
        )
        yield from _business(hub.business)
        if hub.cache and hub.cache_looks:
            is_up = hub.cache_looks.found.problem is None
            yield GaugeMetricFamily("win_event_console_cache_up", "1 while the cache answers.", value=is_up)
            yield from hub.cache.lookups.metrics()


def _business(business: Business) -> Iterator[Metric]:
    logons = CounterMetricFamily(
        "win_event_logons", "Logons of the channel Security (4624, 4625), by outcome.", labels=("outcome",)
    )
    for outcome, count in business.logons().items():
        logons.add_metric((outcome,), count)
    yield logons
    alerts = CounterMetricFamily(
        "win_event_alerts", "New alerts, by the title of the rule.", labels=("rule",)
    )
    for rule, count in business.alerts().items():
        alerts.add_metric((rule,), count)
    yield alerts
    accounts = GaugeMetricFamily(
        "win_event_top_account_failures",
        f"The {TOP} accounts with the most failed logons in the last {WINDOW} s.",
        labels=("account",),
    )
    for account, count in business.top_failures(time.time()).items():
        accounts.add_metric((account,), count)
    yield accounts


def build_registry(hub: Hub) -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(HubCollector(hub))
    return registry
