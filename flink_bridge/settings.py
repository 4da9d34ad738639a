"""Everything a run of the bridge is told, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from flink_bridge.jvm.field_path import FieldPath, parse_field
from flink_bridge.kafka.settings import KafkaSettings
from flink_bridge.sources.resume_reader import ReaderSettings
from producer.endpoint import Endpoint

Source = Literal["socket", "resume"]
Delivery = Literal["at-least-once", "exactly-once"]


class SettingsError(ValueError):
    """Settings that contradict each other; the text says which and what to change."""


@dataclass(frozen=True)
class EventSettings:
    """What makes a line an event, and what of it goes into the Kafka record besides the line."""

    key_field: FieldPath = field(default_factory=lambda: parse_field("computer"))
    timestamp_field: FieldPath = field(default_factory=lambda: parse_field("timestamp"))
    event_timestamps: bool = False
    headers: tuple[FieldPath, ...] = ()
    require: tuple[FieldPath, ...] = ()
    max_line: int = 65_536


@dataclass(frozen=True)
class BridgeSettings:
    endpoints: tuple[Endpoint, ...]
    kafka: KafkaSettings
    source: Source = "socket"
    topic: str = "events_processed"
    rejected_topic: str = "events_rejected"
    events: EventSettings = field(default_factory=EventSettings)
    delivery: Delivery = "at-least-once"
    transactional_id_prefix: str = "win-event-bridge"
    transaction_timeout: int = 900
    """Seconds a transaction may stay open: longer than the longest time between two checkpoints."""
    checkpoint_interval: float = 5.0
    """Seconds."""
    sink_parallelism: int | None = None
    job_name: str | None = None
    start_from: Literal["earliest", "latest"] = "earliest"
    fail_on_gap: bool = False
    tls: bool = False
    tls_ca_file: str | None = None

    def reader(self, endpoint: Endpoint) -> ReaderSettings:
        """How the resume source reaches one of the endpoints."""
        return ReaderSettings(
            endpoint,
            start=self.start_from,
            fail_on_gap=self.fail_on_gap,
            tls=self.tls,
            tls_ca_file=self.tls_ca_file,
        )

    def __post_init__(self) -> None:
        if self.topic == self.rejected_topic:
            raise SettingsError(f"the topic and the rejected topic are both {self.topic!r}: name two")

    @property
    def name(self) -> str:
        where = ", ".join(str(endpoint) for endpoint in self.endpoints)
        return self.job_name or f"win-event-bridge {where} → {self.topic}"
