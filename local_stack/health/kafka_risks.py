"""Finds records in Kafka that may be lost or hidden: by retention soon, or by open transactions."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec

from kafka_setup.cluster_facts import ClusterFacts, TopicFacts
from kafka_setup.connection.session import that_exist
from kafka_setup.connection.settings import REQUEST_TIMEOUT
from local_stack import shell_environment
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.health.warnings import CheckResult, Doomed, of_retention, of_transaction
from local_stack.layout import Stack

_MARGIN = 0.1  # share of the retention time: older records are deleted soon
_LONG_OPEN_MS = 60_000  # far longer than the time between two checkpoints
_TOOL_SECONDS = 60.0


def read_warnings(stack: Stack, admin: AdminClient, facts: ClusterFacts) -> Iterator[CheckResult]:
    """Raises KafkaException."""
    for topic, milliseconds in _retentions(admin, facts).items():
        yield from of_retention(_doomed(admin, topic, facts, milliseconds))
    hidden = _hidden(admin, facts)
    if hidden:  # the tool starts a JVM, so only if there is something to find
        tool = _tool(stack)
        for name in _long_open(tool):
            yield of_transaction(name, hidden, shlex.join(tool))


def _retentions(admin: AdminClient, facts: ClusterFacts) -> dict[TopicFacts, float]:
    """Topic -> retention in ms, for topics that delete by age and are not empty."""
    held = [topic for topic in facts.topics if topic.records]
    if not held:
        return {}
    asked = {ConfigResource(ConfigResource.Type.TOPIC, topic.name): topic for topic in held}
    answers = admin.describe_configs(list(asked), request_timeout=REQUEST_TIMEOUT)
    found = {}
    for resource, settings in that_exist(answers).items():
        milliseconds = float(settings["retention.ms"].value)
        if "delete" in settings["cleanup.policy"].value and milliseconds > 0:
            found[asked[resource]] = milliseconds
    return found


def _doomed(admin: AdminClient, topic: TopicFacts, facts: ClusterFacts, milliseconds: float) -> Doomed:
    young = OffsetSpec.for_timestamp(int(time.time() * 1000 - milliseconds * (1 - _MARGIN)))
    keys = {TopicPartition(topic.name, part.partition): part for part in topic.partitions}
    answers = admin.list_offsets(dict.fromkeys(keys, young), request_timeout=REQUEST_TIMEOUT)
    until = {part.partition: part.start for part in topic.partitions}  # a topic that was deleted
    for key, found in that_exist(answers).items():
        until[key.partition] = keys[key].end if found.offset < 0 else found.offset
    unread = {
        group.name: sum(
            max(0, until[number] - max(position, _start(topic, number)))
            for (name, number), position in group.positions.items()
            if name == topic.name and number in until
        )
        for group in facts.groups
    }
    records = sum(until[part.partition] - part.start for part in topic.partitions)
    return Doomed(topic.name, records, topic.records, milliseconds * _MARGIN / 1000, unread)


def _start(topic: TopicFacts, number: int) -> int:
    return next(part.start for part in topic.partitions if part.partition == number)


def _hidden(admin: AdminClient, facts: ClusterFacts) -> dict[str, int]:
    """Topic -> the number of records after its last stable offset."""
    ends = {(topic.name, part.partition): part.end for topic in facts.topics for part in topic.partitions}
    keys = [TopicPartition(*key) for key in ends]
    if not keys:
        return {}
    answers = admin.list_offsets(
        dict.fromkeys(keys, OffsetSpec.latest()),
        request_timeout=REQUEST_TIMEOUT,
        isolation_level=IsolationLevel.READ_COMMITTED,
    )
    found: dict[str, int] = {}
    for key, stable in that_exist(answers).items():
        if (behind := ends[key.topic, key.partition] - stable.offset) > 0:
            found[key.topic] = found.get(key.topic, 0) + behind
    return found


def _tool(stack: Stack) -> list[str]:
    """The command line of Kafka's own tool, with a login."""
    command = [str(stack.bin / "kafka-transactions.sh"), "--bootstrap-server", stack.bootstrap_servers]
    return [*command, "--command-config", str(shell_environment.client_config(stack, SUPER_USER))]


def _long_open(tool: list[str]) -> list[str]:
    """Ids of the transactions that have been open for long."""
    command = [*tool, "list", "--duration-filter", str(_LONG_OPEN_MS)]
    try:
        answer = subprocess.run(
            command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=_TOOL_SECONDS
        )
    except subprocess.TimeoutExpired:  # on a machine that has much else to do
        return []
    rows = [line.split() for line in answer.stdout.splitlines()]
    return [row[0] for row in rows if row and row[-1] in ("Ongoing", "PrepareCommit", "PrepareAbort")]
