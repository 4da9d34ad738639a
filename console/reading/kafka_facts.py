"""Topics with their rates, and consumer groups with their lag, as the console's Kafka user sees them."""

from __future__ import annotations

import time
from collections import deque

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from console.reading.poller import AwayError
from kafka_setup.cluster_facts import ClusterFacts, read_facts
from kafka_setup.connection.session import KafkaUnavailableError, connect
from kafka_setup.connection.settings import KafkaConnection

_PATIENCE = 3.0  # seconds after which the page shows why there is no connection, and a new client tries
_RATE_SECONDS = 4.0  # a rate is an average over about this time


class KafkaFacts:
    """Keeps its connection between two reads. `rates`: records per second, by topic."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._admin: AdminClient | None = None
        self._ends: deque[tuple[float, dict[str, int]]] = deque()
        self.rates: dict[str, float] = {}

    def read(self) -> ClusterFacts:
        """Raises AwayError."""
        try:
            if self._admin is None:
                self._admin = connect(self._connection, patience=_PATIENCE)
            facts = read_facts(self._admin)
        except (KafkaUnavailableError, KafkaException) as error:
            self._admin = None  # a failed admin client may keep using a broker that is gone
            self._ends.clear()
            self.rates = {}
            raise AwayError(f"Kafka does not answer: {_text(error)}") from error
        self._measure(time.monotonic(), {topic.name: topic.end for topic in facts.topics})
        return facts

    def _measure(self, now: float, ends: dict[str, int]) -> None:
        self._ends.append((now, ends))
        while len(self._ends) > 2 and self._ends[1][0] <= now - _RATE_SECONDS:
            self._ends.popleft()
        then, before = self._ends[0]
        if now > then:
            self.rates = {
                name: max(0.0, (end - before[name]) / (now - then))
                for name, end in ends.items()
                if name in before
            }


def _text(error: Exception) -> str:
    if isinstance(error, KafkaException):
        return str(error.args[0].str())
    return str(error)
