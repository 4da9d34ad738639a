"""level_windows as one writes it by hand: confluent-kafka, orjson, a dictionary; no state, no restart.

`python plain_python.py TOPIC` reads the topic to its end and prints {"window level channel": events}.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from kafka_setup.connection.settings import KafkaConnection, read_password

_WIDTH = 300_000  # milliseconds


def main(topic: str) -> None:
    connection = KafkaConnection(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        os.environ["KAFKA_SECURITY_PROTOCOL"],
        username=os.environ["KAFKA_USERNAME"],
        password=read_password(os.environ),
    )
    reader = Consumer({**connection.client_settings(), "group.id": "win-event-bench"})
    parts = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(3)]
    left = sum(reader.get_watermark_offsets(part, timeout=10)[1] for part in parts)
    reader.assign(parts)
    counts: Counter[tuple[int, str, str]] = Counter()
    while left:
        messages = reader.consume(min(left, 10_000), timeout=1.0)
        left -= len(messages)
        for message in messages:
            event = orjson.loads(message.value())
            counts[message.timestamp()[1] // _WIDTH, event["level"], event["source"]] += 1
    reader.close()
    rows = {f"{_iso(window)} {level} {source}": n for (window, level, source), n in counts.items()}
    sys.stdout.buffer.write(orjson.dumps(rows))


def _iso(window: int) -> str:
    return f"{datetime.fromtimestamp(window * _WIDTH / 1000, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    main(sys.argv[1])
