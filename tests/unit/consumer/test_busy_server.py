"""A server that serves too many clients is tried again; a broker may be slow."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException
from jvm_reader import Server, answering, request
from running import BIN, run

from consumer.verify.records.kafka_client import KafkaClient
from kafka_setup.connection.settings import KafkaConnection


@pytest.mark.programs
def test_tail_waits_until_the_server_has_room() -> None:
    def busy(client: socket.socket) -> None:
        request(client)
        client.sendall(b'{"status":"error","reason":"this server serves 1 clients already","code":"busy"}\n')

    event = b'{"computer":"a","source":"s","record_id":1,"event_id":1,"timestamp":"2026-11-25T09:28:01Z"}\n'
    server = Server([busy, answering("- earliest", "ok", "L", 0, event)])
    try:
        words = ("--port", str(server.port), "--from-start", "--count", "1", "--output", "json")
        answer = run(BIN / "win-event-tail", *words)
    finally:
        server.close()
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.encode() == event
    assert "this server serves 1 clients already; trying again" in answer.stderr
    assert server.errors == []


class SlowBroker:
    """Answers only a call that waits for 6 s."""

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        if timeout < 6:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "Failed to get metadata"))
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions={0: None})})

    def get_watermark_offsets(self, *_: object, **__: object) -> tuple[int, int]:
        return 0, 7

    def poll(self, _: float) -> None:
        pass


def test_verify_reads_from_a_broker_that_needs_seconds_for_an_answer() -> None:
    client = KafkaClient(KafkaConnection("127.0.0.1:1", "PLAINTEXT"), "events", read_committed=False)
    client.close()
    client._consumer = SlowBroker()
    assert client.ranges() == {0: (0, 7)}
