"""Tries to read from Kafka where the job is submitted, as the job will read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

from flink_bridge.kafka import preflight
from flink_bridge.kafka.settings import KafkaSettings


def try_reading(
    kafka: KafkaSettings, prefix: str, group: str, topics: Mapping[str, str], other_group: str
) -> None:
    """Read once from each topic, because a user who may describe a topic may not be allowed to read it.

    `topics`: name -> the command that creates it. `other_group`: advice if the group is refused. `prefix`:
    the result of preflight.class_prefix. Raises PreflightError.
    """
    setup = next(iter(topics.values()))
    advice = {
        # Kafka does not say whether a topic exists to a user who may not see it.
        "TopicAuthorizationException": f"is the name right? Then allow the user READ on it: {setup}",
        "GroupAuthorizationException": other_group,
    }
    try:
        _read_once(kafka, prefix, group, topics)
    except Py4JJavaError as error:
        told = preflight.told(error.java_exception, kafka, setup, advice=advice)
        raise preflight.PreflightError(told) from None


def _read_once(kafka: KafkaSettings, prefix: str, group: str, topics: Mapping[str, str]) -> None:
    package, seconds = preflight.kafka_package(prefix), get_gateway().jvm.java.time.Duration.ofSeconds
    bytes_ = package.common.serialization.ByteArrayDeserializer
    properties = preflight.java_properties(_properties(kafka, prefix, group))
    consumer = package.clients.consumer.KafkaConsumer(properties, bytes_(), bytes_())
    try:
        for topic, creation in topics.items():
            partitions = consumer.partitionsFor(topic)
            if not len(partitions or ()):
                user = kafka.username or "nobody"
                raise preflight.PreflightError(
                    f"Kafka at {kafka.bootstrap_servers} as {user}: there is no topic {topic}; create it: "
                    f"{creation}. --no-check submits anyway"
                )
            first: Any = package.common.TopicPartition(topic, partitions[0].partition())
            consumer.assign([first])
            consumer.position(first)  # asks the group's coordinator
            consumer.poll(seconds(2))
    finally:
        consumer.close(seconds(0))


def _properties(kafka: KafkaSettings, prefix: str, group: str) -> dict[str, str]:
    return kafka.client_properties(prefix) | {
        "default.api.timeout.ms": preflight.TIMEOUT_MS,
        "request.timeout.ms": preflight.TIMEOUT_MS,
        "auto.offset.reset": "earliest",
        "group.id": group,
        "enable.auto.commit": "false",
        "client.id": f"{group}-check",
    }
