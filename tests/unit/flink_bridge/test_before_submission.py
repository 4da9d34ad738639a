"""What is found out before Flink is asked: a listener's protocol, the job's own prefix, a foreign version."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread

import pytest
import trustme

from flink_bridge.kafka.limits import FOREVER, topic_limits
from flink_bridge.kafka.listener import protocol_mismatch
from flink_bridge.kafka.settings import KafkaSettings
from flink_bridge.settings import BridgeSettings
from flink_bridge.submission import version_notes
from producer.endpoint import Endpoint

ENDPOINTS = (Endpoint("a", 1), Endpoint("b", 2))
HOUR = 3_600_000


@pytest.fixture
def listener() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Answers each client as told; its address."""
    open_ones: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        open_ones.append(server)

        def serve() -> None:
            while True:
                try:
                    client = server.accept()[0]
                except OSError:
                    return
                with client, suppress(OSError):
                    answer(client)

        Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in open_ones:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def tls(client: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with context.wrap_socket(client, server_side=True) as secured:
        secured.recv(1)


def clear_text(client: socket.socket) -> None:
    """A broker without TLS: it takes a handshake for a request of 369 MB and hangs up."""
    if client.recv(100)[:1] == b"\0":
        client.sendall(b"\0\0\0\x06\0\0\0\1\0\x23")


@pytest.mark.parametrize(
    ("answer", "protocol", "advice"),
    [
        (tls, "SASL_PLAINTEXT", "speaks TLS, and the security protocol is SASL_PLAINTEXT: set "
         "KAFKA_SECURITY_PROTOCOL=SASL_SSL, and the brokers' authority in KAFKA_CA_FILE"),
        (tls, "PLAINTEXT", "KAFKA_SECURITY_PROTOCOL=SSL"),
        (clear_text, "SASL_SSL", "does not speak TLS, and the security protocol is SASL_SSL: set "
         "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT"),
        (tls, "SASL_SSL", None),
        (clear_text, "SASL_PLAINTEXT", None),
    ],
)  # fmt: skip
def test_tls_on_one_side_only(
    listener: Callable[..., str],
    answer: Callable[[socket.socket], None],
    protocol: str,
    advice: str | None,
) -> None:
    said = protocol_mismatch(KafkaSettings(listener(answer), protocol, username="u"))
    assert (said is None) == (advice is None), said
    assert (advice or "") in (said or "")


def test_a_server_that_is_not_there_is_left_to_kafkas_own_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert protocol_mismatch(KafkaSettings(f"127.0.0.1:{port}", "SSL")) is None


def test_each_job_has_a_transactional_id_prefix_of_its_own() -> None:
    kafka = KafkaSettings("b:1", "PLAINTEXT")
    own = BridgeSettings(ENDPOINTS, kafka)
    assert own.transactional_id_prefix.startswith("win-event-bridge-events_processed-")
    assert BridgeSettings(ENDPOINTS[::-1], kafka).transactional_id_prefix == own.transactional_id_prefix
    others = {
        BridgeSettings(ENDPOINTS[:1], kafka).transactional_id_prefix,
        BridgeSettings(ENDPOINTS, kafka, topic="other").transactional_id_prefix,
        BridgeSettings(ENDPOINTS, kafka, rejected_topic="other").transactional_id_prefix,
    }
    assert len(others | {own.transactional_id_prefix}) == 4
    assert BridgeSettings(ENDPOINTS, kafka, own_prefix="mine").transactional_id_prefix == "mine"


def test_a_version_that_was_not_tested_is_named() -> None:
    assert version_notes("2.2.1") == []
    assert "this is Flink 2.3.0; the bridge was tested with 2.2" in version_notes("2.3.0")[0]
    assert version_notes("2.20.0") != []


def test_limits_are_those_of_topic_and_producer() -> None:
    usual = topic_limits({}, {})
    assert (usual.max_record, usual.most_ahead, usual.most_behind) == (1_048_576, 55 * 60_000, FOREVER)
    assert usual.retention == 7 * 24 * HOUR
    assert topic_limits({"max.message.bytes": "5000"}, {}).max_record == 5000
    assert topic_limits({"max.message.bytes": "5000"}, {"max.request.size": "4000"}).max_record == 4000
    assert topic_limits({"retention.ms": "-1"}, {}).retention == FOREVER
    assert topic_limits({"message.timestamp.before.max.ms": str(HOUR)}, {}).most_behind == 55 * 60_000
    appended = topic_limits({"message.timestamp.type": "LogAppendTime"}, {})
    assert (appended.most_ahead, appended.most_behind, appended.retention) == (FOREVER,) * 3
