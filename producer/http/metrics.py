"""Prometheus metrics of the producer, collected at each request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from operator import attrgetter, itemgetter

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from producer.components import Components
from producer.event_shapes import LEVELS
from producer.events.catalogue.event_catalogue import CHANNELS, EventType
from producer.events.generator import Batch
from producer.events.line_rule import REASONS
from producer.http.problems import REFUSALS

_template, _event_type = itemgetter(1), attrgetter("event_type")  # in C: this runs for every event


class Rejected:
    """Counts the rejected lines of one origin, by reason. Used by one thread."""

    def __init__(self) -> None:
        self.by_reason: Counter[str] = Counter(dict.fromkeys(REASONS, 0))

    def reject(self, reasons: Mapping[str, int]) -> None:
        self.by_reason.update(reasons)


class ProducerMetrics(Collector):
    """Counts the events that the feeder appends; reads log, server and clients only for a scrape.

    Every possible reason and label starts with 0.
    """

    def __init__(self, components: Components) -> None:
        self._components = components
        self._events: Counter[EventType] = Counter()
        self._refused: Counter[str] = Counter(dict.fromkeys(REFUSALS, 0))
        self._posted_before = components.intake.count
        self.posts, self.file = Rejected(), Rejected()
        if components.feeding.generated:
            components.feeding.generated.observe = self.observe
        if components.feeding.file:
            components.feeding.file.rejected = self.file.reject
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def refused(self, reason: str) -> None:
        """Count a refused request. Only the HTTP thread calls it."""
        self._refused[reason] += 1

    def observe(self, batch: Batch) -> None:
        """Called for every batch, so it only counts event types; labels are made for a scrape."""
        self._events.update(map(_event_type, map(_template, batch.pending)))

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield self._events_family()
        yield from self._rates()
        yield from self._intake()
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
        feeder = self._components.feeding.main
        asked = feeder.control.rate if feeder.control.rate is not None else float("inf")
        yield _gauge("rate_asked", "Wanted events per second; infinite for --rate max.", asked)
        yield _gauge(
            "rate_achieved", "Events per second over the last ten seconds.", self._components.report.achieved
        )
        yield _gauge("late_seconds", "How far generation is behind its schedule.", feeder.late)

    def _intake(self) -> Iterator[Metric]:
        file = self._components.feeding.main.made if self._components.feeding.file else 0
        taken = self._components.intake.count - self._posted_before
        family = CounterMetricFamily(
            "win_event_intake_events",
            "Posted events, and events of a file, that were accepted.",
            labels=("origin",),
        )
        family.add_metric(("file",), file)
        family.add_metric(("http",), max(taken - file, 0))
        yield family
        yield self._rejected()
        yield _by_reason("http_refused", "HTTP requests that were refused.", self._refused)

    def _rejected(self) -> Metric:
        labels = ("origin", "reason")
        family = CounterMetricFamily("win_event_rejected_events", "Lines that are not events.", labels=labels)
        for origin, rejected in (("file", self.file), ("http", self.posts)):
            for reason, count in sorted(rejected.by_reason.items()):
                family.add_metric((origin, reason), count)
        return family

    def _log_family(self) -> Iterator[Metric]:
        log = self._components.log
        yield _gauge("log_start_offset", "First byte that is still kept.", log.start)
        yield _gauge("log_end_offset", "Bytes appended so far.", log.end)
        yield _gauge("log_refuses", "1 while nothing can be appended, as on a full disk.", bool(log.trouble))

    def _clients(self) -> Iterator[Metric]:
        log, server = self._components.log, self._components.server
        clients = server.clients()
        yield _gauge("clients", "Clients connected.", len(clients))
        sent = server.ended_bytes + sum(client.sent_bytes for client in clients)
        yield _counter("sent_bytes", "Bytes written to client sockets.", sent)
        labels = ("client",)
        lag_bytes = GaugeMetricFamily(
            "win_event_client_lag_bytes", "Bytes behind the log's end.", labels=labels
        )
        lag = GaugeMetricFamily("win_event_client_lag_events", "Events behind, about.", labels=labels)
        for client in clients:
            lag_bytes.add_metric((client.address,), log.end - client.offset)
            lag.add_metric((client.address,), log.events - log.events_before(client.offset))
        yield lag_bytes
        yield lag
        yield _by_reason("disconnects", "Clients that ended, by reason.", server.ended)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"win_event_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"win_event_{name}", text, value=value)


def _by_reason(name: str, text: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"win_event_{name}", text, labels=("reason",))
    for reason, count in sorted(counts.items()):
        family.add_metric((reason,), count)
    return family
