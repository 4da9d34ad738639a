"""Every tool that connects to Kafka reports TLS on one side only, at once and by the same sentence."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
import trustme

from kafka_setup.connection import listener as checked
from kafka_setup.connection.listener import protocol_mismatch

Answer = Callable[[socket.socket], object]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def listener() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that answers each client as told; returns its address."""
    open_ones: list[socket.socket] = []

    def start(answer: Answer) -> str:
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


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "_SECONDS", 60)


TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
trustme.CA().issue_cert("localhost").configure_cert(TLS)


def tls(client: socket.socket) -> None:
    with TLS.wrap_socket(client, server_side=True) as secured:
        secured.recv(1)


def clear_text(client: socket.socket) -> None:
    """A broker without TLS treats a handshake as a request of 369 MB and closes the connection."""
    if client.recv(1000)[:1] == b"\0":
        client.sendall(b"\0\0\0\x06\0\0\0\1\0\x23")


@pytest.mark.parametrize(
    ("answer", "protocol", "advice"),
    [
        (tls, "SASL_PLAINTEXT", "uses TLS, but the security protocol is SASL_PLAINTEXT: set "
         "KAFKA_SECURITY_PROTOCOL=SASL_SSL, and the brokers' authority in KAFKA_CA_FILE"),
        (tls, "PLAINTEXT", "KAFKA_SECURITY_PROTOCOL=SSL"),
        (clear_text, "SASL_SSL", "does not use TLS, but the security protocol is SASL_SSL: set "
         "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT"),
        (clear_text, "SSL", "KAFKA_SECURITY_PROTOCOL=PLAINTEXT"),
        (tls, "SASL_SSL", None),
        (clear_text, "SASL_PLAINTEXT", None),
        (lambda client: client.recv(1000), "SASL_SSL", None),  # a broker that stops, says nothing either
        (lambda client: client.recv(1000) and client.sendall(b"HTTP/1.1 400"), "SASL_PLAINTEXT", None),
    ],
)  # fmt: skip
def test_only_an_answer_tells(
    listener: Callable[[Answer], str], answer: Answer, protocol: str, advice: str | None
) -> None:
    said = protocol_mismatch(listener(answer), protocol)
    assert (said is None) == (advice is None), said
    assert (advice or "") in (said or "")


def test_the_next_server_is_asked_where_one_is_not_there(listener: Callable[[Answer], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"127.0.0.1:{closed.getsockname()[1]}"
    address = listener(tls)
    assert protocol_mismatch(gone, "SSL") is None
    assert f"Kafka at {address} uses TLS" in str(protocol_mismatch(f"{gone}, {address}", "SASL_PLAINTEXT"))
    assert protocol_mismatch("no-port", "SSL") is None


@pytest.mark.programs
@pytest.mark.parametrize(
    "tool",
    [
        "win-event-verify --rejected",
        "win-event-kafka-setup plan",
        "win-event-kafka-metrics --port 0",
        "win-event-detect --topic events_processed",
        "win-event-stack submit",
        "python flink_bridge/job.py",
        "python analytics/job.py level_windows",
        "python detection/job.py",
    ],
)
def test_every_tool_says_it(tmp_path: Path, listener: Callable[[Answer], str], tool: str) -> None:
    command, *words = f"{tool} --kafka-bootstrap-servers {listener(tls)}".split()
    login = {"KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "p", "WIN_EVENT_STACK_DIR": str(tmp_path)}
    result = subprocess.run(
        [Path(sys.executable).with_name(command), *words],
        env=os.environ | login,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "uses TLS, but the security protocol is SASL_PLAINTEXT: set KAFKA_SEC" in result.stderr
    assert result.returncode == 1
