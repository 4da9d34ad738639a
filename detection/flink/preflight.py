"""Checks Kafka and the cluster where the job is submitted: may the job read events and write alerts?"""

from __future__ import annotations

import os

from py4j.protocol import Py4JJavaError

from detection.flink.settings import DetectionSettings
from flink_bridge.flink_cluster import slot_notes
from flink_bridge.kafka import preflight
from flink_bridge.kafka.reading import try_reading
from kafka_setup.connection.diagnosis import setup_command


def check(settings: DetectionSettings, prefix: str) -> list[str]:
    """Notes for the user, also about checks that were not possible here. Raises PreflightError, JaasError."""
    kafka = settings.kafka
    notes = slot_notes("--parallelism", settings.parallelism)
    if not preflight.secret_at_hand(kafka, os.environ):
        return [*notes, preflight.UNCHECKED]
    topics = {settings.topic: setup_command(os.environ, settings.topic)}
    other_group = "log in as detection, or set a --group that this user may use"
    try_reading(kafka, prefix, settings.group, topics, other_group)
    properties = kafka.producer_properties(prefix) | preflight.WAITS
    properties["client.id"] = "win-event-detection-check"
    try:
        preflight.try_producer(properties, prefix, (settings.alerts_topic,))
    except Py4JJavaError as error:
        raise preflight.PreflightError(
            preflight.told(error.java_exception, kafka, preflight.ANSWERS_SETUP)
        ) from None
    return notes
