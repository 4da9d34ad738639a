"""All settings of the console, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from console.cache.settings import CacheServer
from kafka_setup.connection.settings import KafkaConnection, Secret
from kafka_setup.defaults import ALERTS_TOPIC, EVENTS_TOPIC, REJECTED_TOPIC
from toolkit.addresses import CONSOLE_PORT, FLINK_PORT, LOOPBACK, PRODUCER_HTTP_PORT, host_names

VERSION_PATH = "/api/v1"


@dataclass(frozen=True)
class Topics:
    """The topics that are shown. `windows`: the results of analytics that have a window."""

    events: str = EVENTS_TOPIC
    rejected: str = REJECTED_TOPIC
    alerts: str = ALERTS_TOPIC
    late: str = "events_late"
    sessions: str = "logon_sessions"
    windows: tuple[str, ...] = ("events_by_level", "events_by_level_5m", "top_5m")

    def renamed(self, names: Mapping[str, str]) -> Topics:
        """The settings with other topics for the named results. Raises KeyError for an unknown result."""
        for name in names:
            if name not in (*self.results, self.late):
                raise KeyError(name)
        new = {key: names.get(value, value) for key, value in asdict(self).items() if isinstance(value, str)}
        return Topics(**new, windows=tuple(names.get(name, name) for name in self.windows))

    @property
    def results(self) -> tuple[str, ...]:
        """Topics whose records are rows with a key: a later record replaces an earlier one."""
        return (self.alerts, *self.windows, self.sessions)


@dataclass(frozen=True)
class Settings:
    """All settings of a console.

    `flink_url`, `producer_url`, `cache` None: that part is not used. `max_rate`: events read per second.
    `token` is for the console itself; `producer_token` is sent to the producer and never to a browser.
    """

    kafka: KafkaConnection
    host: str = "127.0.0.1"
    port: int = CONSOLE_PORT
    flink_url: str | None = f"http://{LOOPBACK}:{FLINK_PORT}"
    producer_url: str | None = f"http://{LOOPBACK}:{PRODUCER_HTTP_PORT}"
    producer_token: Secret | None = field(default=None, repr=False)
    token: Secret | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    topics: Topics = Topics()
    max_rate: int = 20_000
    cache: CacheServer | None = None

    @property
    def host_names(self) -> frozenset[str]:
        """The allowed values of a request's Host header; others are an attack by a foreign page."""
        return host_names(self.host, self.allowed_hosts)
