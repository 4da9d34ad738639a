"""Types of the API's answers: the OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_LIMIT = 500


class Service(BaseModel):
    """The state of a service.

    `away`: the figures are the last known ones, from `as_of` (seconds since the epoch); null: none.
    """

    name: Literal["kafka", "flink", "producer", "cache"]
    state: Literal["up", "away", "off"]
    problem: str | None
    as_of: float | None


class Producer(BaseModel):
    """Rates are in events per second; `lag` is that of the slowest client, in bytes of the log.

    `rate_asked` null: as fast as possible. `over`: all events are made. `problem`: why nothing can be
    appended.
    """

    running: bool
    over: bool
    problem: str | None
    rate_asked: float | None
    rate: float | None
    events: int
    clients: int
    lag: int
    log_id: str
    start_offset: int
    end_offset: int
    scenarios: list[str]


class Job(BaseModel):
    """A job of the Flink cluster; times in seconds. `kind` is null when it has ended."""

    name: str
    kind: Literal["bridge", "detection", "analytics"] | None
    job_id: str
    state: str
    running_tasks: int
    tasks: int
    uptime: float
    restarts: int
    checkpoints: int
    failed_checkpoints: int
    checkpoint_age: float | None
    checkpoint_duration: float | None


class Topic(BaseModel):
    """A topic and its records.

    `records`: stored now; `written`: ever written; `rate`: per second; `newest_age`: in seconds.
    """

    name: str
    partitions: int
    records: int
    written: int
    rate: float
    newest_age: float | None


class Group(BaseModel):
    """A consumer group. `lag` in records, over all partitions with a committed position."""

    name: str
    state: str
    members: int
    lag: int


class Reading(BaseModel):
    """What this console has read since it started; `skipped`: events that arrived faster than it reads."""

    since: float
    topics: list[str]
    events: int
    skipped: int
    max_rate: int
    problem: str | None


class Names(BaseModel):
    """The topics that this console follows, and their purposes."""

    events: str
    rejected: str
    late: str
    alerts: str
    sessions: str
    windows: list[str]


class Status(BaseModel):
    """The whole state at one moment; `at` is in seconds since the epoch."""

    at: float
    names: Names
    services: list[Service]
    producer: Producer | None
    jobs: list[Job]
    topics: list[Topic]
    groups: list[Group]
    reading: Reading


class Topics(BaseModel):
    service: Service
    topics: list[Topic]


class Groups(BaseModel):
    service: Service
    groups: list[Group]


class Header(BaseModel):
    name: str
    value: str


class Record(BaseModel):
    """A record of a topic.

    `text` is the value as UTF-8, with invalid bytes replaced; `base64` is set if any were. `size` counts all
    bytes of the value; at most the first 65,536 are included.
    """

    partition: int
    offset: int
    timestamp: float | None
    key: str | None
    text: str | None
    base64: str | None
    size: int
    headers: list[Header]


class Span(BaseModel):
    """Offsets `start` (inclusive) to `end` (exclusive) are stored; `next` is the offset after this answer."""

    partition: int
    start: int
    end: int
    next: int


class Records(BaseModel):
    topic: str
    partitions: list[Span]
    records: list[Record]


class Row(BaseModel):
    """The newest record of a key, with its `fields`; `since` is the time of the first record of the key."""

    topic: str
    key: str
    partition: int
    offset: int
    timestamp: float | None
    fields: dict[str, Any]
    since: float | None


class Rows(BaseModel):
    """Rows, of which those that changed last come first. `kept`: the number of rows that the console has.

    `service`: whether they are up to date.
    """

    service: Service
    kept: int
    rows: list[Row]


class Counts(BaseModel):
    """Numbers of events. `by_level`: events read since `since`; with a cache, also those of earlier consoles.

    `rejected`, `late`: records ever written to these topics.
    """

    service: Service
    since: float
    by_level: dict[str, int]
    skipped: int
    rejected: int | None
    late: int | None


class RejectedLine(BaseModel):
    """A line that the bridge rejected. `text` and `hex` show the first bytes of `size`."""

    sequence: int
    partition: int
    offset: int
    timestamp: float | None
    reason: str
    endpoint: str
    size: int
    text: str
    hex: str


class RejectedLines(BaseModel):
    service: Service
    lines: list[RejectedLine]


class EventLine(BaseModel):
    """One event of the live page; `line` is the record's value as text."""

    sequence: int
    partition: int
    offset: int
    arrived: float
    time: str
    level: str
    source: str
    event_id: str
    computer: str
    message: str
    line: str


class Rate(BaseModel):
    """Events per second that the producer should make; max: as fast as possible."""

    model_config = ConfigDict(extra="forbid")
    rate: Literal["max"] | Annotated[float, Field(strict=True, gt=0, le=10_000_000, allow_inf_nan=False)]


class Done(BaseModel):
    """The producer has accepted the request."""

    done: Literal[True] = True


class Token(BaseModel):
    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=1_000)]
