"""Facts from win-event-producer's metrics: the number of events, and how far each client is behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.client import HTTPException

from prometheus_client.parser import text_string_to_metric_families

from toolkit.http import open_url


@dataclass(frozen=True)
class Client:
    """A client of the producer; `lag` is in events."""

    address: str
    lag: int


@dataclass(frozen=True)
class Producer:
    where: str
    events: int
    rate: float  # events per second
    clients: list[Client] = field(default_factory=list)


def read_producer(where: str) -> Producer | None:
    """The facts at `where`, the HOST:PORT of --http-port; None if nothing answers there."""
    try:
        with open_url(f"http://{where}/metrics", 60) as answer:
            return parse(where, answer.read().decode())
    except (OSError, ValueError, HTTPException):  # also a server that does not speak HTTP
        return None


def parse(where: str, page: str) -> Producer:
    samples = [s for family in text_string_to_metric_families(page) for s in family.samples]
    values = {sample.name: sample.value for sample in samples}
    return Producer(
        where,
        int(sum(s.value for s in samples if s.name == "win_event_events_total")),
        values.get("win_event_rate_achieved", 0.0),
        [
            Client(s.labels["client"], int(s.value))
            for s in samples
            if s.name == "win_event_client_lag_events"
        ],
    )
