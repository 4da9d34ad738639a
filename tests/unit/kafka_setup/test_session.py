"""Every way a connection fails, against real sockets and real TLS: one line, and whether to try again."""

from __future__ import annotations

import base64
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import trustme
from running import wait_until

from kafka_setup.connection import session
from kafka_setup.connection.session import LoginRefusedError, NotReadyError, connect, open_admin
from kafka_setup.connection.settings import (
    ConnectionSettingsError,
    KafkaConnection,
    Secret,
    read_oauth,
)

pytestmark = pytest.mark.programs

Handler = Callable[[socket.socket], None]
ATTEMPT = 1.0  # seconds


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], str]]:
    """Starts a server that hands each connection to `handler`; returns its address."""
    listeners: list[socket.socket] = []

    def start(handler: Handler) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with suppress(OSError), connection:
                        handler(connection)

        threading.Thread(target=accept, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def tls(context: ssl.SSLContext) -> Handler:
    def handle(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    return handle


def tls_with(certificate: trustme.LeafCert) -> Handler:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return tls(context)


def over_tls(address: str, ca_file: Path) -> KafkaConnection:
    return KafkaConnection(address, "SASL_SSL", username="u", password=Secret("p"), ca_file=ca_file)


def plain(address: str) -> KafkaConnection:
    return KafkaConnection(address, username="u", password=Secret("p"))


def refusal_of(connection: KafkaConnection) -> str:
    with pytest.raises(LoginRefusedError) as refused:
        connect(connection)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_broker_that_is_down_is_tried_again_and_the_reason_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "_PATIENCE", 0.3)  # several attempts in the time that there is
    told: list[str] = []
    with pytest.raises(NotReadyError, match=r"nothing listens on 127\.0\.0\.1:1.*waited 3 s"):
        open_admin(plain("127.0.0.1:1"), wait=3, on_wait=told.append)
    assert len(told) == 1


def test_a_wait_can_be_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt):
        open_admin(plain("127.0.0.1:1"), wait=3600, on_wait=lambda _: signal.raise_signal(signal.SIGINT))


def test_a_login_may_take_all_the_time_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def slow(_: KafkaConnection, timeout: float, *_more: object) -> None:
        given.append(timeout)
        raise LoginRefusedError("the end of the test")

    monkeypatch.setattr(session, "connect", slow)
    with pytest.raises(LoginRefusedError):
        open_admin(plain("127.0.0.1:1"))
    assert 59 < given[0] <= session.DEFAULT_WAIT


def test_a_broker_that_is_silent_is_told_once_while_the_login_waits(
    serve: Callable[[Handler], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_PATIENCE", 0.2)
    silent = serve(lambda connection: threading.Event().wait(30) and None)
    told: list[str] = []
    with pytest.raises(NotReadyError):
        open_admin(plain(silent), wait=1.5, on_wait=told.append)
    assert told == [f"{silent} does not answer: still starting?"]


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(NotReadyError, match=r"unknown host nowhere\.invalid:9092: check KAFKA_BOOT"):
        connect(plain("nowhere.invalid:9092"), patience=0.0)


def test_a_half_up_broker_that_never_answers(serve: Callable[[Handler], str]) -> None:
    silent = serve(lambda connection: threading.Event().wait(30) and None)
    with pytest.raises(NotReadyError, match="does not answer: still starting"):
        connect(plain(silent), ATTEMPT)


def test_a_half_up_broker_that_hangs_up(serve: Callable[[Handler], str]) -> None:
    with pytest.raises(NotReadyError, match="still starting"):
        connect(plain(serve(lambda connection: None)), ATTEMPT)


def test_an_expired_authority(
    serve: Callable[[Handler], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = datetime.now(timezone.utc) - timedelta(days=30)
    monkeypatch.setattr(trustme, "DEFAULT_EXPIRY", expired)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    said = refusal_of(over_tls(serve(tls_with(certificate)), tmp_path / "ca.pem"))
    assert f"the authority in {tmp_path / 'ca.pem'} expired on {expired:%Y-%m-%d}" in said


def test_an_expired_certificate_of_a_good_authority(serve: Callable[[Handler], str], tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    old = datetime(2020, 1, 2)
    certificate = authority.issue_cert("127.0.0.1", not_before=old - timedelta(days=9), not_after=old)
    said = refusal_of(over_tls(serve(tls_with(certificate)), tmp_path / "ca.pem"))
    assert "has expired: renew it on the broker" in said


def test_a_foreign_authority(serve: Callable[[Handler], str], tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    address = serve(tls_with(trustme.CA().issue_cert("127.0.0.1")))
    said = refusal_of(over_tls(address, tmp_path / "ca.pem"))
    assert f"KAFKA_CA_FILE={tmp_path / 'ca.pem'} did not sign" in said


def test_a_certificate_for_another_name(serve: Callable[[Handler], str], tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    address = serve(tls_with(authority.issue_cert("kafka.example")))
    assert "has a certificate for another name" in refusal_of(over_tls(address, tmp_path / "ca.pem"))


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    said = refusal_of(over_tls("127.0.0.1:1", tmp_path / "ca.pem"))
    assert f"KAFKA_CA_FILE={tmp_path / 'ca.pem'} cannot be used" in said


def test_oauthbearer_settings_pass_through(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary\n")
    environment = {
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "https://login.example/token",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_ID": "bridge",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
    }
    connection = KafkaConnection("broker:9093", "SASL_SSL", "OAUTHBEARER", oauth=read_oauth(environment))
    settings = connection.client_settings()
    assert settings["sasl.mechanism"] == "OAUTHBEARER"
    assert settings["sasl.oauthbearer.token.endpoint.url"] == "https://login.example/token"
    assert settings["sasl.oauthbearer.client.id"] == "bridge"
    assert settings["sasl.oauthbearer.client.secret"] == "canary"
    assert settings["sasl.oauthbearer.method"] == "oidc"
    assert "canary" not in repr(connection)


class TokenEndpoint(BaseHTTPRequestHandler):
    """A server that refuses every login."""

    asked: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.headers["Authorization"])
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"error": "invalid_client"}')

    def log_message(self, *_: object) -> None:
        pass


def test_a_refused_oauthbearer_token_is_told_at_once() -> None:
    with HTTPServer(("127.0.0.1", 0), TokenEndpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        environment = {
            "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}/token",
            "KAFKA_SASL_OAUTHBEARER_CLIENT_ID": "bridge",
            "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": "canary",
        }
        connection = KafkaConnection(
            "127.0.0.1:1", "SASL_PLAINTEXT", "OAUTHBEARER", oauth=read_oauth(environment)
        )
        with pytest.raises(LoginRefusedError, match=r"invalid_client.*check KAFKA_SASL_OAUTHBEARER_TOKEN"):
            connect(connection)
        server.shutdown()
        thread.join()
    assert TokenEndpoint.asked[0] == f"Basic {base64.b64encode(b'bridge:canary').decode()}"


def test_oauthbearer_without_settings_says_which() -> None:
    with pytest.raises(ConnectionSettingsError, match="KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL"):
        KafkaConnection("broker:9093", "SASL_SSL", "OAUTHBEARER")


def test_a_client_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConnectionSettingsError, match="KAFKA_KEY_FILE"):
        KafkaConnection("broker:9093", "SSL", certificate_file=tmp_path / "c.pem")
    both = KafkaConnection("b:9093", "SSL", certificate_file=tmp_path / "c", key_file=tmp_path / "k")
    assert both.client_settings()["ssl.key.location"] == str(tmp_path / "k")


def test_a_login_by_certificate_shows_it_to_the_broker(
    serve: Callable[[Handler], str], tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client = authority.issue_cert("bridge.example", common_name="bridge")
    client.private_key_pem.write_to_path(tmp_path / "key.pem")
    client.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    shown: list[object] = []

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            shown.append(secured.getpeercert())

    connection = KafkaConnection(
        serve(handle),
        "SSL",
        ca_file=tmp_path / "ca.pem",
        certificate_file=tmp_path / "cert.pem",
        key_file=tmp_path / "key.pem",
    )

    def tried() -> list[object]:
        with pytest.raises(NotReadyError):  # this server speaks TLS, not Kafka
            connect(connection, ATTEMPT)
        return shown

    wait_until(tried, "the server has seen the certificate")
    assert "'bridge.example'" in str(shown[0])


def test_plaintext_off_this_machine_is_warned_about() -> None:
    assert plain("127.0.0.1:9092,[::1]:9092").warnings() == []
    (warning,) = plain("127.0.0.1:9092,kafka.example:9092").warnings()
    assert "SASL_PLAINTEXT to kafka.example is not encrypted" in warning


def test_a_file_for_tls_that_is_not_used_is_warned_about(tmp_path: Path) -> None:
    (warning,) = replace(plain("127.0.0.1:9092"), ca_file=tmp_path / "ca.pem").warnings()
    assert (
        warning
        == f"KAFKA_CA_FILE={tmp_path / 'ca.pem'} is not used: SASL_PLAINTEXT has no TLS, set SASL_SSL or SSL"
    )
    assert over_tls("127.0.0.1:9092", tmp_path / "ca.pem").warnings() == []
