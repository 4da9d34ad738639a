"""The plain Python alternative: socket, orjson, confluent-kafka. No restart, no rejected topic."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import orjson
from confluent_kafka import Producer

from kafka_setup.connection.settings import KafkaConnection, Secret
from kafka_setup.defaults import EVENTS_TOPIC


def main(port: int) -> None:
    password = Secret(Path(os.environ["KAFKA_PASSWORD_FILE"]).read_text(encoding="utf-8"))
    kafka = KafkaConnection(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"], username=os.environ["KAFKA_USERNAME"], password=password
    )
    batching = {"compression.type": "lz4", "linger.ms": 20, "batch.size": 262_144, "enable.idempotence": True}
    producer = Producer({**kafka.client_settings(), **batching, "queue.buffering.max.messages": 1_000_000})
    topic = os.environ.get("KAFKA_TOPIC", EVENTS_TOPIC)
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as lines:
        for line in lines:
            if line == b"\n":
                continue
            key = orjson.loads(line)["computer"]
            while True:
                try:
                    producer.produce(topic, line[:-1], key)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
