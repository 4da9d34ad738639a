"""All settings of a run of the bridge, as one value."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flink_bridge.jvm.field_path import FieldPath, first_of, parse_field
from flink_bridge.kafka.limits import UNKNOWN, TopicLimits
from flink_bridge.kafka.settings import KafkaSettings, check_transaction_timeout
from kafka_setup.defaults import EVENTS_TOPIC, REJECTED_TOPIC
from producer.endpoint import Endpoint, EndpointError, parse_endpoint
from producer.event_fields import KEY_FIELDS, TIMESTAMP_FIELDS

_OFFSET = re.compile(r"[+-](?:0\d|1[0-7]):[0-5]\d").fullmatch

TRANSACTIONAL_IDS = "win-event-bridge"
"""The prefix of the transactional ids of all bridges, as in the permission of the user `bridge`."""

Source = Literal["auto", "resume", "socket"]
Delivery = Literal["at-least-once", "exactly-once"]
TooOld = Literal["keep", "now", "reject"]


class SettingsError(ValueError):
    """Settings that contradict each other; the text says which and what to change."""


def is_zone(name: str) -> bool:
    """Whether Python and Java know a time zone of this name."""
    if _OFFSET(name):
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # no such file, or not a valid name
        return False
    return True


@dataclass(frozen=True)
class EventSettings:
    """What makes a line an event, and which of its fields the Kafka record contains besides the line."""

    key_field: FieldPath = field(default_factory=lambda: first_of(map(parse_field, KEY_FIELDS)))
    timestamp_field: FieldPath = field(default_factory=lambda: first_of(map(parse_field, TIMESTAMP_FIELDS)))
    event_timestamps: bool = True
    timestamp_zone: str = "UTC"
    """The zone of times that name none: `UTC`, `+01:00`, `Europe/Berlin`."""
    too_old: TooOld = "now"
    """How to treat an event that is older than the retention of the topic."""
    headers: tuple[FieldPath, ...] = ()
    require: tuple[FieldPath, ...] = ()
    max_line: int = 65_536

    def __post_init__(self) -> None:
        if not is_zone(self.timestamp_zone):
            raise SettingsError(
                f"time zone {self.timestamp_zone!r}: expected UTC, an offset such as +01:00, or a name such "
                "as Europe/Berlin"
            )


@dataclass(frozen=True)
class BridgeSettings:
    endpoints: tuple[Endpoint, ...]
    kafka: KafkaSettings
    source: Source = "auto"
    topic: str = EVENTS_TOPIC
    rejected_topic: str = REJECTED_TOPIC
    events: EventSettings = field(default_factory=EventSettings)
    delivery: Delivery = "at-least-once"
    own_prefix: str | None = None
    """The prefix of the transactional ids, if the user has named one."""
    transaction_timeout: int = 900
    """Seconds for which a transaction may stay open: more than the longest time between two checkpoints."""
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
    limits: TopicLimits = UNKNOWN
    """The limits of the topic, read before submission."""
    rejected_limits: TopicLimits = UNKNOWN

    def __post_init__(self) -> None:
        if self.topic == self.rejected_topic:
            raise SettingsError(f"the topic and the rejected topic are both {self.topic!r}: name two")
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise SettingsError("a client certificate needs its key: --tls-cert and --tls-key go together")
        for option, file in self.tls_files().items():
            if file and not PurePosixPath(file).is_absolute():
                raise SettingsError(f"{option} {file!r}: the TaskManager needs an absolute path")
        if self.delivery == "exactly-once":
            check_transaction_timeout(self.transaction_timeout, self.checkpoint_interval)
        if self.source == "socket" and self.tls:
            raise SettingsError("--source socket is Flink's own, which has no TLS: use --source auto")

    def tls_files(self) -> dict[str, str | None]:
        """Files that each TaskManager reads, by option."""
        return {
            "--tls-ca-file": self.tls_ca_file,
            "--tls-cert": self.tls_cert_file,
            "--tls-key": self.tls_key_file,
        }

    @property
    def transactional_id_prefix(self) -> str:
        """A separate prefix for each job, always the same.

        Two jobs with one prefix would end each other's transactions.
        """
        if self.own_prefix:
            return self.own_prefix
        where = ",".join(sorted(str(endpoint) for endpoint in self.endpoints))
        text = "\n".join(
            (self.topic, self.rejected_topic, where, *([self.job_name] if self.job_name else []))
        )
        return f"{TRANSACTIONAL_IDS}-{self.topic}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @property
    def name(self) -> str:
        where = ", ".join(str(endpoint) for endpoint in self.endpoints)
        return self.job_name or f"win-event-bridge {where} to {self.topic}"

    def description(self) -> dict[str, object]:
        """The job's name, and the endpoints whose positions are in its state: to find its checkpoints."""
        kept = [] if self.source == "socket" else [str(endpoint) for endpoint in self.endpoints]
        return {"name": self.name, "positions": kept}


def parse_endpoints(hostnames: str, default_port: int) -> tuple[Endpoint, ...]:
    """Parse `a,b:9998,[::1]:9997`; endpoints without a port get the default one. Raises EndpointError."""
    endpoints = tuple(parse_endpoint(word, default_port) for word in hostnames.split(",") if word.strip())
    if not endpoints:
        raise EndpointError("no host: expected HOST or HOST:PORT, several separated by commas")
    for endpoint in endpoints:
        if endpoints.count(endpoint) > 1:
            raise EndpointError(f"{endpoint} is given twice: every line would reach Kafka twice")
    return endpoints
