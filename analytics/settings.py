"""Everything a run is told, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from analytics.hosts import Hosts
from analytics.question import Question
from flink_bridge.kafka.settings import KafkaSettings

INVENTORY = {"inventory_computers": "inventory.computers", "inventory_accounts": "inventory.accounts"}
"""Table -> topic: what a question may know about computers and accounts (docs/CDC.md)."""


@dataclass(frozen=True)
class ArchiveSettings:
    """`path` as Flink spells it: file:///folder or s3://bucket/folder."""

    path: str
    part_bytes: int = 128 * 2**20
    part_seconds: int = 900


@dataclass(frozen=True)
class AnalyticsSettings:
    """`values`: for each question, the parameters that are not left at their defaults.

    `hosts`: None when no question asks for roles or sites. `files`: ask these instead of the topic.
    `result_topics`: result -> topic, where it is not the same. Times in seconds.
    """

    questions: tuple[Question, ...]
    values: dict[str, dict[str, str]]
    kafka: KafkaSettings | None = None
    files: tuple[Path, ...] = ()
    topic: str = "events_processed"
    rejected_topic: str = "events_rejected"
    result_topics: dict[str, str] = field(default_factory=dict)
    hosts: Hosts | None = None
    archive: ArchiveSettings | None = None
    max_lateness: float = 10.0
    idle_timeout: float = 30.0
    start_from: Literal["earliest", "latest"] = "earliest"
    bounded: bool = False
    delivery: str = "at-least-once"
    transactional_id_prefix: str = "win-event-analytics"
    transaction_timeout: int = 900
    checkpoint_interval: float = 5.0
    parallelism: int = 1
    job_name: str | None = None

    @property
    def name(self) -> str:
        asked = ", ".join(question.name for question in self.questions)
        return self.job_name or f"win-event-analytics {asked} ← {'files' if self.files else self.topic}"

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
        """Those that a question joins."""
        asked = [name for name in INVENTORY if any(question.reads(name) for question in self.questions)]
        return tuple(INVENTORY[name] for name in asked)

    @property
    def answer_topics(self) -> tuple[str, ...]:
        """Those that the job writes."""
        late = ("events_late",) if self.reads_events else ()
        return tuple(self.topic_of(name) for name in (*self.results, *late) if name != "archive")

    def topic_of(self, result: str) -> str:
        return self.result_topics.get(result, result)
