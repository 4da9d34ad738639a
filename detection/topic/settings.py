"""The settings of a run over a topic, and its error."""

from __future__ import annotations

from dataclasses import dataclass

from kafka_setup.connection.settings import KafkaConnection
from kafka_setup.defaults import ALERTS_TOPIC, DETECTION_GROUP


class TopicError(Exception):
    """Kafka refuses or cannot be reached; the text says why, and what to try."""


@dataclass(frozen=True)
class TopicSettings:
    """The settings of a run over a topic.

    `alerts` None: alerts are not written to Kafka. `bounded`: stop at the end offsets of the start.
    """

    connection: KafkaConnection
    topic: str
    group: str = DETECTION_GROUP
    alerts: str | None = ALERTS_TOPIC
    start_from: str = "earliest"
    bounded: bool = False
