"""Odd answers of Flink and Kafka are a problem on the page, and no thread ends because of one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import certifi
import pytest
from jvm_reader import Server, until_closed
from running import wait_until

from console.reading import http_json, poller
from console.reading.flink import kind_of, read_jobs
from console.reading.poller import AwayError, LateError, Poller
from console.reading.producer import ProducerApi
from console.reading.tail import Tail, fresh_offset
from kafka_setup.connection.settings import KafkaConnection

pytestmark = pytest.mark.programs


def _http(body: bytes) -> bytes:
    return b"HTTP/1.0 200 OK\r\n\r\n" + body


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        _http(b""),
        _http(b"[]"),
        _http(b'{"jobs":[{"jid":"a"}]}'),
        _http(b"<html>"),
    ],
)
def test_a_server_that_is_not_flink_is_a_problem(answer: bytes) -> None:
    def says_it(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(answer)

    server = Server([says_it])
    try:
        with pytest.raises(AwayError):
            read_jobs(f"http://127.0.0.1:{server.port}")
    finally:
        server.close()
    assert server.errors == []


def test_a_change_without_an_answer_is_not_told_as_a_producer_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_json, "SECONDS", 0.2)
    server = Server([until_closed])
    try:
        with pytest.raises(LateError, match="scenarios/brute-force has not answered"):
            ProducerApi(f"http://127.0.0.1:{server.port}", None).scenario("brute-force")
    finally:
        server.close()


def test_a_service_counts_as_away_while_its_answer_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "_SILENCE", 0.2)
    answered = threading.Event()
    answers: Iterator[int] = iter([1])
    asked = Poller("test", lambda: next(answers, None) or (answered.wait(60) and 2), interval=0.01)
    asked.start()
    wait_until(lambda: asked.found.problem == "no answer for 0 s", "the problem")
    assert asked.found.answer == 1
    answered.set()
    wait_until(lambda: (asked.found.answer, asked.found.problem) == (2, None), "the late answer")
    asked.stop()


def test_the_kind_of_a_job_is_known_by_its_operators() -> None:
    bridge = "Source: read 127.0.0.1:9999 -> parse and key -> write to Kafka (events): Writer"
    assert kind_of([bridge]) == "bridge"
    assert kind_of(["Source: events -> match", "correlate -> sink: Writer", "sink: Committer"]) == "detection"
    assert kind_of(["Source: event_documents[1] -> Calc[2]", "Correlate(invocation=[f])"]) == "analytics"


def test_a_poller_goes_on_after_any_error() -> None:
    answers: Iterator[int | Exception] = iter([1, RuntimeError("odd"), AwayError("away"), 2])

    def read() -> int:
        answer = next(answers, 3)
        seen.append(tried.found.problem)
        if isinstance(answer, Exception):
            raise answer
        return answer

    seen: list[str | None] = []
    tried = Poller("test", read, interval=0.01)
    tried.start()
    wait_until(lambda: tried.found.answer == 3, "the last answer")
    tried.stop()
    assert seen[1:4] == [None, "RuntimeError('odd')", "away"]


@pytest.mark.parametrize(
    ("offset", "end", "newest", "allowed", "fresh"),
    [
        (-1001, 100_000, 200, 2_000, -1001),
        (99_000, 100_000, 200, 2_000, 99_000),
        (10, 100_000, 200, 2_000, 99_800),
        (85_000, 100_000, 20_000, 10_000, 90_000),
        (4_000, 15_000, 20_000, 10_000, 5_000),
    ],
)
def test_the_console_never_reads_backwards(
    offset: int, end: int, newest: int, allowed: int, fresh: int
) -> None:
    assert fresh_offset(offset, end, newest, allowed) == fresh


def test_the_tail_goes_on_when_its_ca_file_was_repaired(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    connection = KafkaConnection("127.0.0.1:1", security_protocol="SSL", ca_file=file)
    tail = Tail(connection, {"events": 1}, lambda _message: None, lambda _topic, _partition: None, 1)
    tail.start()
    try:
        wait_until(
            lambda: f"KAFKA_CA_FILE={file} cannot be used" in str(tail.problem),
            "the CA file is named",
            told=lambda: tail.problem,
        )
        copyfile(certifi.where(), file)
        wait_until(lambda: "KAFKA_CA_FILE" not in str(tail.problem), "it connects", told=lambda: tail.problem)
    finally:
        tail.stop()
