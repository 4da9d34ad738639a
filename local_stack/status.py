"""What the stack is doing right now, as data, as JSON and as a table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.table import Table

from local_stack import broker, flink_rest, processes
from local_stack.layout import LOOPBACK, Stack


@dataclass(frozen=True)
class Part:
    name: str
    state: str  # "running" or "stopped"
    pid: int | None
    where: str


@dataclass(frozen=True)
class Job:
    name: str
    state: str
    job_id: str


@dataclass(frozen=True)
class Report:
    parts: list[Part]
    jobs: list[Job]


def report(stack: Stack) -> Report:
    return Report([_part(stack, daemon) for daemon in processes.recorded(stack)], _jobs(stack))


def as_json(found: Report) -> str:
    return json.dumps(asdict(found), indent=2)


def as_table(found: Report) -> Table:
    table = Table("what", "state", "where", box=None, pad_edge=False)
    for part in found.parts:
        colour = "green" if part.state == "running" else "red"
        table.add_row(part.name, f"[{colour}]{part.state}[/]", part.where)
    for job in found.jobs:
        table.add_row(
            job.name, f"[{'green' if job.state == 'RUNNING' else 'yellow'}]{job.state}[/]", job.job_id
        )
    if not found.parts:
        table.add_row("nothing runs", "", "win-event-stack up")
    return table


def _part(stack: Stack, daemon: processes.Daemon) -> Part:
    alive = daemon.process() is not None
    places = {broker.name(n): f"{LOOPBACK}:{stack.kafka_port_of(n)}" for n in stack.broker_numbers}
    where = (places | {"jobmanager": stack.flink_url}).get(daemon.name, "")
    return Part(daemon.name, "running" if alive else "stopped", daemon.pid if alive else None, where)


def _jobs(stack: Stack) -> list[Job]:
    try:
        return [Job(job["name"], job["state"], job["jid"]) for job in flink_rest.jobs(stack.flink_url)]
    except OSError:
        return []
