"""The stack's own authority: its certificates are accepted, and it is made only once."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from local_stack.broker.certificates import ensure_certificates


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_client_that_trusts_the_authority_accepts_the_brokers(tmp_path: Path, name: str) -> None:
    authority, keystore = tmp_path / "ca.pem", tmp_path / "broker.pem"
    ensure_certificates(authority, keystore)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(keystore)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with server.wrap_socket(theirs, server_side=True) as secured:
            secured.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context(cafile=str(authority))
    with client.wrap_socket(ours, server_hostname=name) as secured:
        assert secured.recv(5) == b"hello"
    thread.join()


def test_they_are_kept_and_a_lost_half_makes_both_anew(tmp_path: Path) -> None:
    authority, keystore = tmp_path / "ca.pem", tmp_path / "broker.pem"
    ensure_certificates(authority, keystore)
    first = authority.read_text()
    assert stat.S_IMODE(keystore.stat().st_mode) == 0o600
    assert keystore.read_text().startswith("-----BEGIN PRIVATE KEY-----")  # PKCS 8: Kafka reads no other
    ensure_certificates(authority, keystore)
    assert authority.read_text() == first
    keystore.unlink()
    ensure_certificates(authority, keystore)
    assert authority.read_text() != first
