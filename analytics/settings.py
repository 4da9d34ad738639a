"""All settings of a run, as one value."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from analytics.hosts import Hosts
from analytics.question import Question
from flink_bridge.kafka.settings import KafkaSettings, check_transaction_timeout
from kafka_setup.defaults import EVENTS_TOPIC, REJECTED_TOPIC

INVENTORY = {"inventory_computers": "inventory.computers", "inventory_accounts": "inventory.accounts"}
"""Table -> topic: the data about computers and accounts that a question may join (docs/CDC.md)."""

GROUPS = "win-event-analytics"
"""How the consumer groups and the transactional ids of all jobs begin: what the user `analytics` may use."""


@dataclass(frozen=True)
class ArchiveSettings:
    """Where the archive is, and when its parts are closed.

    `path` in Flink's form: file:///folder or s3://bucket/folder.
    """

    path: str
    part_bytes: int = 128 * 2**20
    part_seconds: int = 900


@dataclass(frozen=True)
class AnalyticsSettings:
    """A run: its questions, its input, and where the answers go.

    `values`: for each question, the parameters that differ from their defaults. `hosts`: None if no question
    uses roles or sites. `files`: read these instead of the topic. `result_topics`: result -> topic, if the
    names differ. Times are in seconds.
    """

    questions: tuple[Question, ...]
    values: dict[str, dict[str, str]]
    kafka: KafkaSettings | None = None
    files: tuple[Path, ...] = ()
    topic: str = EVENTS_TOPIC
    rejected_topic: str = REJECTED_TOPIC
    result_topics: dict[str, str] = field(default_factory=dict)
    hosts: Hosts | None = None
    archive: ArchiveSettings | None = None
    max_lateness: float = 10.0
    idle_timeout: float = 60.0
    start_from: Literal["earliest", "latest"] = "earliest"
    bounded: bool = False
    delivery: str = "at-least-once"
    own_prefix: str | None = None
    transaction_timeout: int = 900
    checkpoint_interval: float = 5.0
    parallelism: int = 0  # 0: as Flink says, see with_parallelism
    job_name: str | None = None

    def __post_init__(self) -> None:
        if self.delivery == "exactly-once":
            check_transaction_timeout(self.transaction_timeout, self.checkpoint_interval)

    @property
    def name(self) -> str:
        asked = ", ".join(question.name for question in self.questions)
        return self.job_name or f"win-event-analytics {asked} from {'files' if self.files else self.topic}"

    @property
    def transactional_id_prefix(self) -> str:
        """A separate prefix for each job, always the same; also the name of its consumer group.

        Two jobs with one prefix would end each other's transactions, and commit over each other's offsets.
        """
        if self.own_prefix:
            return self.own_prefix
        names = "-".join(question.name for question in self.questions)[:80]
        told = (self.name, self.topic, sorted(self.result_topics.items()), sorted(self.values.items()))
        mark = hashlib.sha256(repr(told).encode()).hexdigest()[:8]
        return f"{GROUPS}-{re.sub(r'[^A-Za-z0-9._-]', '_', names)}-{mark}"

    @property
    def results(self) -> tuple[str, ...]:
        """The result tables of all questions."""
        found = dict.fromkeys(result for question in self.questions for result in question.results)
        return tuple(found)

    @property
    def reads_events(self) -> bool:
        return any(question.reads("events") for question in self.questions)

    @property
    def inventory_topics(self) -> tuple[str, ...]:
        """The topics of the inventory that a question joins."""
        asked = [name for name in INVENTORY if any(question.reads(name) for question in self.questions)]
        return tuple(INVENTORY[name] for name in asked)

    @property
    def answer_topics(self) -> tuple[str, ...]:
        """The topics that the job writes."""
        late = ("events_late",) if self.reads_events else ()
        return tuple(self.topic_of(name) for name in (*self.results, *late) if name != "archive")

    def topic_of(self, result: str) -> str:
        return self.result_topics.get(result, result)
