"""Tries out Kafka from where the job is submitted: may we read the events, and write the answers?"""

from __future__ import annotations

import os
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

from analytics.settings import AnalyticsSettings
from flink_bridge.kafka import preflight
from flink_bridge.kafka.settings import KafkaSettings

# Kafka does not tell whether a topic is there to a user who may not see it.
_READING = {
    "TopicAuthorizationException": (
        "is the name right? Then allow the user READ on it: win-event-kafka-setup apply"
    ),
    "GroupAuthorizationException": (
        "log in as analytics, or take a --transactional-id-prefix that the user may use"
    ),
}


def check(settings: AnalyticsSettings, prefix: str) -> str | None:
    """Raises PreflightError, JaasError. Returns what could not be checked here, or None."""
    kafka = settings.kafka
    assert kafka is not None  # noqa: S101 - files need no check
    if not preflight.secret_at_hand(kafka, os.environ):
        return "the password is not readable here, so only the TaskManagers will try the login to Kafka"
    late = ("events_late",) if settings.reads_events else ()
    answers = [
        settings.topic_of(name) for name in dict.fromkeys((*settings.results, *late)) if name != "archive"
    ]
    advice = _READING
    try:
        _try_consumer(kafka, prefix, settings)
        advice = {}
        if answers:
            preflight.try_producer(_producer(settings, kafka, prefix), prefix, tuple(answers))
    except Py4JJavaError as error:
        told = preflight.told(error.java_exception, kafka, settings, advice)
        raise preflight.PreflightError(told) from None
    return None


def _producer(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> dict[str, str]:
    properties = kafka.producer_properties(prefix) | preflight.SHORT_WAITS
    properties["client.id"] = "win-event-analytics-check"
    if settings.delivery == "exactly-once":
        properties["transactional.id"] = f"{settings.transactional_id_prefix}-check"
        properties["transaction.timeout.ms"] = str(settings.transaction_timeout * 1000)
    return properties


def _try_consumer(kafka: KafkaSettings, prefix: str, settings: AnalyticsSettings) -> None:
    """Read once from the topic: describing it is allowed to more users than reading it."""
    jvm: Any = get_gateway().jvm
    package = preflight.kafka_package(prefix)
    properties = kafka.client_properties(prefix) | {
        "default.api.timeout.ms": preflight.TIMEOUT_MS,
        "request.timeout.ms": "10000",
        "auto.offset.reset": "earliest",
        "group.id": settings.transactional_id_prefix,
        "enable.auto.commit": "false",
        "client.id": "win-event-analytics-check",
    }
    bytes_ = package.common.serialization.ByteArrayDeserializer
    consumer = package.clients.consumer.KafkaConsumer(
        preflight.java_properties(properties), bytes_(), bytes_()
    )
    seconds = jvm.java.time.Duration.ofSeconds
    try:
        partitions = consumer.partitionsFor(settings.topic)
        if partitions is None or not len(partitions):
            raise preflight.PreflightError(
                f"Kafka at {kafka.bootstrap_servers} as {kafka.username or 'nobody'}: there is no topic "
                f"{settings.topic}; create it: win-event-kafka-setup apply. --no-check submits anyway"
            )
        first = package.common.TopicPartition(settings.topic, partitions[0].partition())
        consumer.assign([first])
        consumer.position(first)  # asks the group's coordinator
        consumer.poll(seconds(2))
        for topic in settings.inventory_topics:
            if not len(consumer.partitionsFor(topic) or ()):
                raise preflight.PreflightError(f"there is no topic {topic}; first: win-event-stack up --cdc")
    finally:
        consumer.close(seconds(0))
