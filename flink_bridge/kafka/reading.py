"""Tries to read from Kafka where the job is submitted, as the job will read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    setup = ""
    try:
        with _consumer(kafka, prefix, group) as consumer:
            for topic, setup in topics.items():
                if not _read_once(consumer, prefix, topic):
                    raise preflight.PreflightError(
                        f"Kafka at {kafka.bootstrap_servers} as {kafka.username or 'nobody'}: there is no "
                        f"topic {topic}; create it: {setup}. --no-check submits anyway"
                    )
    except Py4JJavaError as error:
        advice = {
            # Kafka does not say whether a topic exists to a user who may not see it.
            "TopicAuthorizationException": f"is the name right? Then allow the user READ on it: {setup}",
            "GroupAuthorizationException": other_group,
        }
        told = preflight.told(error.java_exception, kafka, setup, advice=advice)
        raise preflight.PreflightError(told) from None


@contextmanager
def _consumer(kafka: KafkaSettings, prefix: str, group: str) -> Iterator[Any]:
    package = preflight.kafka_package(prefix)
    bytes_ = package.common.serialization.ByteArrayDeserializer
    properties = preflight.java_properties(_properties(kafka, prefix, group))
    consumer = package.clients.consumer.KafkaConsumer(properties, bytes_(), bytes_())
    try:
        yield consumer
    finally:
        consumer.close(_seconds(0))


def _read_once(consumer: Any, prefix: str, topic: str) -> bool:
    """Read once from the first partition. False if the topic has none. Raises Py4JJavaError."""
    partitions = consumer.partitionsFor(topic)
    if not len(partitions or ()):
        return False
    package = preflight.kafka_package(prefix)
    first: Any = package.common.TopicPartition(topic, partitions[0].partition())
    consumer.assign([first])
    consumer.position(first)  # asks the group's coordinator
    # At the end of a topic all the time passes. A refusal that comes later than this ends the job itself.
    consumer.poll(_seconds(2))
    return True


def _seconds(count: int) -> Any:
    return get_gateway().jvm.java.time.Duration.ofSeconds(count)


def _properties(kafka: KafkaSettings, prefix: str, group: str) -> dict[str, str]:
    return kafka.client_properties(prefix) | {
        "default.api.timeout.ms": preflight.TIMEOUT_MS,
        "request.timeout.ms": preflight.TIMEOUT_MS,
        "auto.offset.reset": "earliest",
        "group.id": group,
        "enable.auto.commit": "false",
        "client.id": f"{group}-check",
    }
