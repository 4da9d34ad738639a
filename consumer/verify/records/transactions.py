"""Finds the transaction that blocks readers of a partition, with the requests of KIP-664 (Kafka 3.0 and
newer).

A user who may READ the topic gets the producer id; for the transactional id, the user must also have DESCRIBE
on it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import NamedTuple

from consumer.verify.records.kafka_wire import Answer, Wire, WireError, compact, varint
from kafka_setup.connection.settings import KafkaConnection

_DESCRIBE_PRODUCERS, _LIST_TRANSACTIONS = (61, 0), (66, 0)
_NOT_OPEN = -1

Broker = tuple[str, int]  # host and port


class OpenTransaction(NamedTuple):
    """A transaction that has not ended.

    `start`: its first offset; `last_ms`: when its last record was written.
    """

    producer_id: int
    epoch: int
    start: int
    last_ms: int
    transactional_id: str = ""

    def __str__(self) -> str:
        name = f"{self.transactional_id} (" if self.transactional_id else ""
        at = datetime.fromtimestamp(self.last_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        told = f"producer id {self.producer_id} epoch {self.epoch}, last written at {at}"
        return f"{name}{told})" if name else told


def open_transaction(
    connection: KafkaConnection, leader: Broker, brokers: Iterable[Broker], topic: str, partition: int
) -> OpenTransaction | None:
    """The oldest open transaction of a partition; None if there is none, or if the broker does not tell."""
    try:
        with Wire(connection, *leader) as wire:
            asked = varint(2) + compact(topic) + varint(2) + struct.pack(">i", partition) + b"\0\0"
            found = _producers(wire.ask(_DESCRIBE_PRODUCERS, asked))
        if not found:
            return None
        oldest = min(found, key=lambda each: each.start)
        return oldest._replace(transactional_id=_name(connection, brokers, oldest.producer_id))
    except (OSError, WireError, ValueError, KeyError, IndexError, struct.error):
        return None  # an old broker or another login; the audit still knows which offsets it could not read


def _producers(answer: Answer) -> list[OpenTransaction]:
    """The producers in the answer that have an open transaction."""
    found = []
    answer.number("i")  # throttle time
    for _ in answer.array():
        answer.text()
        for _ in answer.array():
            answer.number("i")
            answer.number("h")
            answer.text()
            for _ in answer.array():
                producer_id, epoch = answer.number("q"), answer.number("i")
                answer.number("i")  # last sequence
                last_ms = answer.number("q")
                answer.number("i")  # epoch of the coordinator
                start = answer.number("q")
                answer.tags()
                if start != _NOT_OPEN:
                    found.append(OpenTransaction(producer_id, epoch, start, last_ms))
            answer.tags()
        answer.tags()
    return found


def _name(connection: KafkaConnection, brokers: Iterable[Broker], producer_id: int) -> str:
    """The transactional id, which only its coordinator knows."""
    for broker in brokers:
        with Wire(connection, *broker) as wire:
            answer = wire.ask(
                _LIST_TRANSACTIONS, varint(1) + varint(2) + struct.pack(">q", producer_id) + b"\0"
            )
        answer.number("i")
        answer.number("h")
        for _ in answer.array():
            answer.text()  # a filter that the broker does not know
        for _ in answer.array():
            name, found = answer.text(), answer.number("q")
            answer.text()
            answer.tags()
            if found == producer_id:
                return name
    return ""
