"""Facts about topics and transactions in Kafka, read once before a job is submitted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

from flink_bridge.kafka.limits import TopicLimits, topic_limits
from flink_bridge.kafka.preflight import (
    TIMEOUT_MS,
    PreflightError,
    bridge_setup,
    java_properties,
    kafka_package,
    told,
)
from flink_bridge.settings import TRANSACTIONAL_IDS, BridgeSettings

_LONGEST_OPEN = 60.0
"""In seconds, about three checkpoints: a transaction that is open longer does not belong to a working job."""


@dataclass(frozen=True)
class TopicFacts:
    """What the brokers accept in the two topics, and remarks for the person who submits the job."""

    limits: TopicLimits
    rejected_limits: TopicLimits
    notes: list[str] = field(default_factory=list)


def read_topic_facts(settings: BridgeSettings, prefix: str) -> TopicFacts:
    """The facts. Raises PreflightError if the topics would refuse the records of this job."""
    kafka = kafka_package(prefix)
    properties = settings.kafka.client_properties(prefix) | {"client.id": "win-event-bridge-check"}
    properties |= {"default.api.timeout.ms": TIMEOUT_MS, "request.timeout.ms": TIMEOUT_MS}
    admin = kafka.clients.admin.AdminClient.create(java_properties(properties))
    try:
        asked = _Asked(settings, admin, kafka)
        asked.refuse_without_write()
        described, notes = asked.topic_settings()
        producer = settings.kafka.producer_properties(prefix)
        limits = [topic_limits(described.get(name, {}), producer) for name in asked.topics]
        return TopicFacts(limits[0], limits[1], notes + asked.leftovers())
    except Py4JJavaError as error:
        setup = bridge_setup(settings)
        raise PreflightError(told(error.java_exception, settings.kafka, setup, settings)) from None
    finally:
        admin.close(get_gateway().jvm.java.time.Duration.ofSeconds(0))


class _Asked:
    """The requests to Kafka, all with one admin client. Every method may raise Py4JJavaError."""

    def __init__(self, settings: BridgeSettings, admin: Any, kafka: Any) -> None:
        self._settings, self._admin, self._kafka = settings, admin, kafka
        self.topics = (settings.topic, settings.rejected_topic)

    def refuse_without_write(self) -> None:
        """Ask the broker what this user may do with each topic. Raises PreflightError."""
        options = self._kafka.clients.admin.DescribeTopicsOptions().includeAuthorizedOperations(True)
        answer = self._admin.describeTopics(_java_list(self.topics), options).allTopicNames().get()
        for topic in self.topics:
            allowed = answer.get(topic).authorizedOperations()
            if allowed is not None and "WRITE" not in {str(operation) for operation in allowed}:
                user = self._settings.kafka.username or "nobody"
                raise PreflightError(
                    f"the user {user} may not WRITE on the topic {topic}. Allow it to the user `bridge`: "
                    f"{bridge_setup(self._settings)}. --no-check submits anyway"
                )

    def topic_settings(self) -> tuple[dict[str, dict[str, str]], list[str]]:
        """The effective settings by topic, as far as the user may read them. Raises PreflightError."""
        resource = self._kafka.common.config.ConfigResource
        kind = resource.Type.TOPIC
        found: dict[str, dict[str, str]] = {}
        notes = []
        for topic in self.topics:
            asked = resource(kind, topic)
            try:
                config = self._admin.describeConfigs(_java_list([asked])).all().get().get(asked)
            except Py4JJavaError as error:
                notes.append(_unread(topic, error.java_exception))
                continue
            found[topic] = {
                entry.name(): entry.value()
                for entry in config.entries().toArray()
                if entry.value() is not None
            }
            _refuse_compacted(topic, found[topic], events=topic == self._settings.topic)
        return found, notes

    def leftovers(self) -> list[str]:
        """Transactions of other bridges that seem to stay open; read_committed readers wait for their end."""
        if self._settings.delivery != "exactly-once":
            return []
        try:
            listed = self._admin.listTransactions().all().get().toArray()
        except Py4JJavaError:
            return []  # a broker before 3.0, or no permission
        own = self._settings.transactional_id_prefix
        ids = [entry.transactionalId() for entry in listed if str(entry.state()) == "Ongoing"]
        ids = [name for name in ids if name.startswith(TRANSACTIONAL_IDS) and not name.startswith(own)]
        return [note for name in ids if (note := self._leftover(name))]

    def _leftover(self, name: str) -> str | None:
        try:
            described = self._admin.describeTransactions(_java_list([name])).description(name).get()
        except Py4JJavaError:
            return None
        started = described.transactionStartTimeMs()
        seconds = time.time() - started.getAsLong() / 1000 if started.isPresent() else 0.0
        if seconds < max(_LONGEST_OPEN, 3 * self._settings.checkpoint_interval):
            return None
        topics = sorted({partition.topic() for partition in described.topicPartitions()})
        return (
            f"warning: the transaction {name} is open since {seconds:.0f} s: read_committed readers of "
            f"{', '.join(topics)} see nothing after it until it ends, at the latest after "
            f"{described.transactionTimeoutMs() / 1000:.0f} s. If no job with its prefix runs any more: "
            f"kafka-transactions.sh --bootstrap-server {self._settings.kafka.bootstrap_servers} "
            f"--command-config LOGIN.properties forceTerminateTransaction --transactionalId {name}"
        )


def _refuse_compacted(topic: str, settings: dict[str, str], events: bool) -> None:
    policy = settings.get("cleanup.policy", "delete")
    if "compact" not in policy:
        return
    why = (
        "it would keep only the newest event of each computer"
        if events
        else "it accepts no record without a key"
    )
    raise PreflightError(
        f"the topic {topic} has cleanup.policy={policy}: {why}. Set cleanup.policy=delete "
        "(win-event-kafka-setup plan shows it), or name another topic"
    )


def _unread(topic: str, exception: Any) -> str:
    while exception.getCause() is not None:
        exception = exception.getCause()
    name = exception.getClass().getSimpleName()
    return (
        f"note: the settings of the topic {topic} cannot be read ({name}), so "
        "Kafka's own defaults are used for its limits; the permission DESCRIBE_CONFIGS on it is missing"
    )


def _java_list(values: Any) -> Any:
    found = get_gateway().jvm.java.util.ArrayList()
    for value in values:
        found.add(value)
    return found
