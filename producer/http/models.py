"""Types of requests and answers: the OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from toolkit.problems import Problem

MAX_RATE = 1e7


class Rejected(BaseModel):
    """An event that was not taken. `index` is its position in the body, from 0; empty lines do not count."""

    index: int
    reason: str


class Accepted(BaseModel):
    """The accepted events are within the bytes `offset`..`end_offset` of the log.

    `rejected` names the first 1,000 of `rejected_count`. To read them back: `RESUME log_id offset`.
    """

    accepted: int
    rejected: list[Rejected]
    rejected_count: int
    log_id: str
    offset: int
    end_offset: int


class IntakeProblem(Problem):
    """Also says which events were taken before the problem. They stay in the log: continue after them."""

    accepted: int | None = None
    rejected: list[Rejected] | None = None
    rejected_count: int | None = None
    log_id: str | None = None
    offset: int | None = None
    end_offset: int | None = None


class Client(BaseModel):
    """A reader of the log. `lag` is in bytes; `lag_events` is an estimate."""

    address: str
    kind: Literal["plain", "resuming"]
    offset: int
    lag: int
    lag_events: int
    sent_bytes: int


class Status(BaseModel):
    """Rates in events per second; `rate_asked` is null for as fast as it goes, `late` in seconds.

    `over`: all events of --count or of the file are made. `problem`: why nothing can be appended, or null.
    """

    version: str
    running: bool
    over: bool
    rate_asked: float | None
    rate_achieved: float
    late: float
    events: int
    posted: int
    clients: list[Client]
    log_id: str
    start_offset: int
    end_offset: int
    scenarios: list[str]
    problem: str | None


class Load(BaseModel):
    """The current state of generation."""

    running: bool
    over: bool
    rate_asked: float | None


class Rate(BaseModel):
    """Events per second, or max for as fast as possible."""

    model_config = ConfigDict(extra="forbid")

    rate: Literal["max"] | Annotated[float, Field(strict=True, gt=0, le=MAX_RATE)]


class Injected(BaseModel):
    scenario: str
