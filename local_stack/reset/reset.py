"""Resets the parts of the stack. Each function returns lines that say what it did."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kafka_setup.connection.session import KafkaUnavailableError, open_admin, until_none_missing
from kafka_setup.connection.settings import REQUEST_TIMEOUT
from local_stack import processes
from local_stack.broker import broker, kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.cdc import connect
from local_stack.layout import Stack
from local_stack.processes import StartError
from toolkit import flink_rest

_CANCEL_SECONDS = 120.0
_OVER = (*flink_rest.ENDED, "SUSPENDED")


def reset_topics(stack: Stack, names: Sequence[str]) -> list[str]:
    """Remove these topics, or all of the topology, with their records; create those of the topology again."""
    _refuse_jobs(stack)
    known = [topic.name for topic in kafka_objects.stack_topology(stack).topics]
    admin = _admin(stack)
    there = set(admin.list_topics(timeout=REQUEST_TIMEOUT).topics)
    gone, left = topics_to_remove(stack, names, known, there)
    if gone:
        _each_done(admin.delete_topics(sorted(gone), request_timeout=REQUEST_TIMEOUT))
        until_none_missing(lambda: gone & set(admin.list_topics(timeout=REQUEST_TIMEOUT).topics))
    told = ["left the topics of the inventory: win-event-stack cdc reset empties them"] if left else []
    return [*(f"removed topic {name}" for name in sorted(gone)), *kafka_objects.apply_topology(stack), *told]


def topics_to_remove(
    stack: Stack, names: Sequence[str], known: Sequence[str], there: Collection[str]
) -> tuple[set[str], set[str]]:
    """The topics to remove, and those to leave because Connect remembers its place in them.

    `there`: the topics in the cluster. `known`: those of the topology, which count if `names` is empty.
    Raises StartError.
    """
    wanted = set(names or known)
    if missing := sorted(wanted - {*there, *known}):
        raise StartError(f"there is no topic {missing[0]}. win-event-stack status lists all topics")
    left = {name for name in wanted if stack.cdc and connect.has_a_place_in(name)}
    if names and left:
        raise StartError(
            f"Kafka Connect remembers its place in {min(left)}. Instead: win-event-stack cdc reset"
        )
    return (wanted - left) & set(there), left


def reset_groups(stack: Stack, names: Sequence[str]) -> list[str]:
    """Delete the positions of these consumer groups, or of all groups without readers."""
    admin = _admin(stack)
    found = admin.list_consumer_groups(request_timeout=REQUEST_TIMEOUT).result().valid
    idle = {group.group_id for group in found if group.state.name == "EMPTY"}
    if busy := [name for name in names if name not in idle]:
        raise StartError(f"group {busy[0]} has readers, or there is none: stop its readers first")
    wanted = sorted(names or idle)
    if wanted:
        _each_done(admin.delete_consumer_groups(wanted, request_timeout=REQUEST_TIMEOUT))
    return [f"deleted the positions of group {name}" for name in wanted] or ["no group without readers"]


def reset_jobs(stack: Stack, names: Sequence[str]) -> list[str]:
    """Cancel these jobs, by name or id, or all of them; their checkpoints stay."""
    running = _running_jobs(stack)
    if unknown := set(names) - {word for job in running for word in (job["name"], job["jid"])}:
        raise StartError(f"no job {min(unknown)} runs. win-event-stack status lists all jobs")
    wanted = [job for job in running if not names or {job["name"], job["jid"]} & set(names)]
    for job in wanted:
        flink_rest.cancel(stack.flink_url, job["jid"])
    ids = {job["jid"] for job in wanted}
    processes.wait_for(
        lambda: not ids & {job["jid"] for job in _running_jobs(stack)},
        _CANCEL_SECONDS,
        "a job does not end: win-event-stack logs jobmanager says why",
    )
    return [f"cancelled {job['name']} ({job['jid']})" for job in wanted] or ["no job runs"]


def reset_checkpoints(stack: Stack, _: Sequence[str]) -> list[str]:
    """Remove every checkpoint and savepoint: the next submission starts without state."""
    _refuse_jobs(stack)
    return [line for folder in (stack.checkpoints, stack.savepoints) for line in _empty(folder)]


def reset_metrics(stack: Stack, _: Sequence[str]) -> list[str]:
    """Remove the data of Prometheus; `up --observe` starts it again."""
    lines = []
    if daemon := processes.running(stack, "prometheus"):
        processes.stop(stack, daemon)
        lines = ["stopped prometheus: win-event-stack up --observe starts it again"]
    return [*_empty(stack.directory / "prometheus" / "data"), *lines]


PARTS: dict[str, Callable[[Stack, Sequence[str]], list[str]]] = {
    "topics": reset_topics,
    "groups": reset_groups,
    "jobs": reset_jobs,
    "checkpoints": reset_checkpoints,
    "metrics": reset_metrics,
}


def reset(stack: Stack, part: str, names: Sequence[str]) -> list[str]:
    """Reset one part. Raises StartError if it fails; earlier steps are not undone."""
    with processes.exclusive(stack):
        try:
            return PARTS[part](stack, names)
        except KafkaException as error:
            raise StartError(f"Kafka on {stack.bootstrap_servers}: {error.args[0].str()}") from error
        except OSError as error:
            raise StartError(f"{part}: {error}") from error


def _admin(stack: Stack) -> AdminClient:
    broker.require_running(stack)
    try:
        return open_admin(kafka_objects.connection(stack, SUPER_USER))
    except KafkaUnavailableError as error:
        raise StartError(f"{error}. First: win-event-stack up") from error


def _running_jobs(stack: Stack) -> list[dict[str, Any]]:
    if processes.running(stack, "jobmanager") is None:
        return []
    return [job for job in flink_rest.jobs(stack.flink_url) if job["state"] not in _OVER]


def _refuse_jobs(stack: Stack) -> None:
    if running := _running_jobs(stack):
        names = ", ".join(sorted({job["name"] for job in running}))
        raise StartError(f"{names} still runs and needs this. First: win-event-stack reset jobs")


def _each_done(futures: dict[str, Any]) -> None:
    for future in futures.values():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND):
                raise


def _empty(folder: Path) -> list[str]:
    if not folder.is_dir() or not any(folder.iterdir()):
        return [f"{folder} was empty"]
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return [f"emptied {folder}"]
