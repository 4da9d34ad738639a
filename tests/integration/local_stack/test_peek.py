"""`win-event-stack peek` on a topic that is written to all the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from confluent_kafka import Producer
from running import BIN, RunningStack, run

from local_stack.broker import kafka_objects

pytestmark = pytest.mark.integration


@contextmanager
def busy(broker: RunningStack, topic: str) -> Iterator[None]:
    """A record every five milliseconds, so that a reader finds another one whenever it asks."""
    client = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings() | {"linger.ms": 0})
    over, number = Event(), iter(range(1_000_000))

    def write() -> None:
        while not over.wait(0.005):
            client.produce(topic, b'{"n":%d}' % next(number), partition=next(number) % 3)
            client.poll(0)

    client.produce(topic, b'{"n":-1}', partition=0)
    assert client.flush(60) == 0
    writer = Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
        client.flush(60)


def test_it_ends_while_records_still_come(broker: RunningStack, topics: tuple[str, str]) -> None:
    with busy(broker, topics[0]):
        command = [BIN / "win-event-stack", "peek", topics[0]]
        newest = run(*command, "-n", "2", env=broker.environment, timeout=120)
        rows = run(*command, "--last-rows", env=broker.environment, timeout=120)
    for answer in (newest, rows):
        assert answer.returncode == 0, answer.stderr
        assert len(answer.stdout.splitlines()) > 2  # a head, a line, and records
