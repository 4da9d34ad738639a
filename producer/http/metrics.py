"""Prometheus metrics of the producer, collected when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from operator import attrgetter, itemgetter

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from producer.events.catalogue.event_catalogue import CHANNELS, LEVELS, EventType
from producer.events.generator import Batch
from producer.log.event_log import EventLog
from producer.rate_report import RateReport
from producer.serving.server import Server

_template, _event_type = itemgetter(1), attrgetter("event_type")  # in C: this runs for every event


class ProducerMetrics(Collector):
    """Counts what the feeder appends; looks at log, server and clients only when it is scraped."""

    def __init__(self, log: EventLog, server: Server, report: RateReport) -> None:
        self._log, self._server, self._report = log, server, report
        self._events: Counter[EventType] = Counter()
        self.injected = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def observe(self, batch: Batch) -> None:
        """Called for every batch, so it only counts event types; labels are worked out at a scrape."""
        self._events.update(map(_event_type, map(_template, batch.pending)))

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield self._events_family()
        yield from self._rates()
        yield from self._log_family()
        yield from self._clients()

    def _events_family(self) -> Metric:
        by_label: Counter[tuple[str, str]] = Counter(
            dict.fromkeys(product(CHANNELS, set(LEVELS.values())), 0)
        )
        for event_type, count in list(self._events.items()):
            by_label[event_type.channel, event_type.level_name] += count
        family = CounterMetricFamily(
            "win_event_events", "Events generated, by channel and level.", labels=("source", "level")
        )
        for labels, count in sorted(by_label.items()):
            family.add_metric(labels, count)
        return family

    def _rates(self) -> Iterator[Metric]:
        feeder = self._report.feeder
        asked = feeder.control.rate if feeder.control.rate is not None else float("inf")
        yield _gauge("rate_asked", "Events a second asked for; infinite without a pace.", asked)
        yield _gauge("rate_achieved", "Events a second over the last ten seconds.", self._report.achieved)
        yield _gauge("late_seconds", "How far generation is behind its schedule.", feeder.late)
        yield _counter("injected_events", "Events taken by POST /events.", self.injected)

    def _log_family(self) -> Iterator[Metric]:
        yield _gauge("log_start_offset", "First byte that is still kept.", self._log.start)
        yield _gauge("log_end_offset", "Bytes appended so far.", self._log.end)

    def _clients(self) -> Iterator[Metric]:
        clients = self._server.clients()
        yield _gauge("clients", "Clients connected.", len(clients))
        sent = self._server.ended_bytes + sum(client.sent_bytes for client in clients)
        yield _counter("sent_bytes", "Bytes handed to client sockets.", sent)
        labels = ("client",)
        lag_bytes = GaugeMetricFamily(
            "win_event_client_lag_bytes", "Bytes behind the log's end.", labels=labels
        )
        lag = GaugeMetricFamily("win_event_client_lag_events", "Events behind, about.", labels=labels)
        for client in clients:
            lag_bytes.add_metric((client.address,), self._log.end - client.offset)
            lag.add_metric((client.address,), self._log.events - self._log.events_before(client.offset))
        yield lag_bytes
        yield lag
        family = CounterMetricFamily(
            "win_event_disconnects", "Clients that ended, by reason.", labels=("reason",)
        )
        for reason, count in sorted(self._server.ended.items()):
            family.add_metric((reason,), count)
        yield family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"win_event_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"win_event_{name}", text, value=value)
