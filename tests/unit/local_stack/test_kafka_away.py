"""Kafka that is away, silent, or still starting."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException

from kafka_setup.connection.session import NotReadyError
from kafka_setup.connection.settings import KafkaConnection
from local_stack.broker import broker, kafka_objects
from local_stack.health import doctor_kafka, report
from local_stack.layout import Stack
from local_stack.processes import StartError


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    login = KafkaConnection("127.0.0.1:1", "PLAINTEXT")
    monkeypatch.setattr(kafka_objects, "connection", lambda *_: login)
    return Stack(tmp_path)


def test_without_a_running_broker_nobody_waits_for_it(stack: Stack) -> None:
    with pytest.raises(StartError, match=r"no broker runs in .*First: win-event-stack up"):
        broker.require_running(stack)


def test_doctor_waits_for_one_login_only(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[KafkaConnection] = []

    def silent(connection: KafkaConnection, *_: float) -> None:
        tried.append(connection)
        raise NotReadyError("127.0.0.1:1 does not answer")

    monkeypatch.setattr(doctor_kafka, "connect", silent)
    (result,) = doctor_kafka.examine_kafka(stack)
    assert (result.what, result.ok, len(tried)) == ("Kafka: 127.0.0.1:1 does not answer", False, 1)


def test_status_says_what_it_waits_for(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    heard = threading.Event()

    def waiting(name: str) -> None:
        told.append(name)
        heard.set()

    monkeypatch.setattr(report, "_SILENCE", 0.05)
    monkeypatch.setattr(report, "read_producer", lambda _: heard.wait(60) and None)
    report.Reader(stack, waiting).report()
    assert told == [f"the producer at {stack.producer_metrics}"]


def test_up_waits_for_a_broker_that_refuses_while_it_starts(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[KafkaException | SimpleNamespace] = [
        KafkaException(KafkaError(KafkaError._TIMED_OUT)),
        SimpleNamespace(nodes=[1]),
    ]

    def describe_cluster(**_: float) -> Future[SimpleNamespace]:
        answer, future = answers.pop(0), Future[SimpleNamespace]()
        if isinstance(answer, KafkaException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    admin = SimpleNamespace(describe_cluster=describe_cluster)
    monkeypatch.setattr(kafka_objects, "open_admin", lambda _: admin)
    kafka_objects.wait_for_brokers(stack)
    assert answers == []
