"""Everything a run of the bridge is told, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from flink_bridge.jvm.field_path import FieldPath, parse_field
from flink_bridge.kafka.settings import KafkaSettings
from producer.endpoint import Endpoint

Source = Literal["auto", "resume", "socket"]
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
    source: Source = "auto"
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
    tls_cert_file: str | None = None
    tls_key_file: str | None = None

    def __post_init__(self) -> None:
        if self.topic == self.rejected_topic:
            raise SettingsError(f"the topic and the rejected topic are both {self.topic!r}: name two")
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise SettingsError("a client certificate needs its key: --tls-cert and --tls-key go together")
        for option, file in self.tls_files().items():
            if file and not PurePosixPath(file).is_absolute():
                raise SettingsError(f"{option} {file!r}: the TaskManager needs an absolute path")
        if self.source == "socket" and self.tls:
            raise SettingsError("--source socket is Flink's own, which knows no TLS: use --source auto")

    def tls_files(self) -> dict[str, str | None]:
        """Files that each TaskManager reads, by option."""
        return {
            "--tls-ca-file": self.tls_ca_file,
            "--tls-cert": self.tls_cert_file,
            "--tls-key": self.tls_key_file,
        }

    @property
    def name(self) -> str:
        where = ", ".join(str(endpoint) for endpoint in self.endpoints)
        return self.job_name or f"win-event-bridge {where} → {self.topic}"
