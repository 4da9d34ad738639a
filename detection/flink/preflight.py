"""Checks Kafka from where the job is submitted: may the job write alerts?"""

from __future__ import annotations

import os
from dataclasses import dataclass

from py4j.protocol import Py4JJavaError

from detection.flink.settings import DetectionSettings
from flink_bridge.kafka import preflight


@dataclass(frozen=True)
class _NoTransactions:
    transaction_timeout: int = 0


def check(settings: DetectionSettings, prefix: str) -> str | None:
    """Raises PreflightError, JaasError. Returns what could not be checked here, or None."""
    kafka = settings.kafka
    if not preflight.secret_at_hand(kafka, os.environ):
        return "the password is not readable here, so only the TaskManagers will try the login to Kafka"
    properties = kafka.producer_properties(prefix) | preflight.SHORT_WAITS
    properties["client.id"] = "win-event-detection-check"
    try:
        preflight.try_producer(properties, prefix, (settings.alerts_topic,))
    except Py4JJavaError as error:
        told = preflight.told(error.java_exception, kafka, _NoTransactions())
        raise preflight.PreflightError(told) from None
    return None
