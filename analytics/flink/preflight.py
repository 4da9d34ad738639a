"""Checks Kafka and the cluster where the job is submitted: may it read the events and write answers?"""

from __future__ import annotations

import os

from py4j.protocol import Py4JJavaError

from analytics.settings import AnalyticsSettings
from flink_bridge.flink_cluster import slot_notes
from flink_bridge.kafka import preflight
from flink_bridge.kafka.reading import try_reading
from flink_bridge.kafka.settings import KafkaSettings
from kafka_setup.connection.diagnosis import setup_command


def check(settings: AnalyticsSettings, prefix: str) -> list[str]:
    """Notes for the user, also about checks that were not possible here. Raises PreflightError, JaasError."""
    kafka = settings.kafka
    assert kafka is not None  # noqa: S101 - files need no check
    notes = slot_notes("--parallelism", settings.parallelism)
    if not preflight.secret_at_hand(kafka, os.environ):
        return [*notes, preflight.UNCHECKED]
    topics = {settings.topic: setup_command(os.environ, settings.topic)}
    topics |= dict.fromkeys(settings.inventory_topics, "win-event-stack up --cdc")
    other_group = "log in as analytics, or set a --transactional-id-prefix that this user may use"
    try_reading(kafka, prefix, settings.transactional_id_prefix, topics, other_group)
    if answers := settings.answer_topics:
        try:
            preflight.try_producer(_producer(settings, kafka, prefix), prefix, answers)
        except Py4JJavaError as error:
            raise preflight.PreflightError(
                preflight.told(error.java_exception, kafka, preflight.ANSWERS_SETUP, settings)
            ) from None
    return notes


def _producer(settings: AnalyticsSettings, kafka: KafkaSettings, prefix: str) -> dict[str, str]:
    properties = kafka.producer_properties(prefix) | preflight.WAITS
    properties["client.id"] = "win-event-analytics-check"
    if settings.delivery == "exactly-once":
        properties["transactional.id"] = f"{settings.transactional_id_prefix}-check"
        properties["transaction.timeout.ms"] = str(settings.transaction_timeout * 1000)
    return properties
