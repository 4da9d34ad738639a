"""Checks whether a broker's listener uses TLS: Kafka's clients do not name a wrong protocol."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from kafka_setup.connection.security import protocol_with, uses_sasl, uses_tls
from kafka_setup.connection.settings import servers_of

# Every attempt to connect begins with this check, so it must be short where a broker is away or stopped.
# It only gives advice: after it, Kafka's own client waits for a slow broker as long as the tool allows.
_SECONDS = 2.5
# The first byte of an answer. TLS answers with an alert or a handshake; Kafka with the size of its answer in
# four bytes, which is small.
_TLS_RECORDS = (0x15, 0x16)
_KAFKA_ANSWER = 0x00
# ApiVersions, which a listener without TLS answers: length, key 18, version 0, correlation id, no client id.
_API_VERSIONS = b"\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff"


def protocol_mismatch(bootstrap_servers: str, security_protocol: str) -> str | None:
    """Advice if the first server that answers uses TLS and the protocol does not, or the reverse.

    None if both agree, or if no answer shows it: then Kafka's own client reports why. This takes milliseconds
    if a server answers, and at most 5 s for each server that does not.
    """
    expected = uses_tls(security_protocol)
    for server, host, port in servers_of(bootstrap_servers):
        try:
            found = _finds_tls(host, port, expected)
        except (OSError, UnicodeError):  # the latter for a name that no server can have, such as a..b
            continue
        if found is None or found == expected:
            return None
        fitting = protocol_with(sasl=uses_sasl(security_protocol), tls=found)
        authority = ", and the brokers' authority in KAFKA_CA_FILE" if found else ""
        return (
            f"Kafka at {server} {'uses' if found else 'does not use'} TLS, but the security protocol is "
            f"{security_protocol}: set KAFKA_SECURITY_PROTOCOL={fitting}{authority}"
        )
    return None


def _finds_tls(host: str, port: int, expected: bool) -> bool | None:
    """Whether the listener uses TLS; None if the answers do not show it. Raises OSError if nothing answers.

    The expected protocol is tried first. A listener may close a connection that it does not understand, and a
    broker that stops closes all of them: so only an answer counts.
    """
    asked = (_client_hello, lambda: _API_VERSIONS)
    for question in asked if expected else reversed(asked):
        first = _first_byte(host, port, question())
        if first in _TLS_RECORDS:
            return True
        if first == _KAFKA_ANSWER:
            return False
    return None


def _first_byte(host: str, port: int, question: bytes) -> int | None:
    """The first byte of the answer; None if the connection ends without one."""
    with socket.create_connection((host, port), timeout=_SECONDS) as connection:
        connection.sendall(question)
        try:
            answer = connection.recv(1)
        except ConnectionResetError:
            return None
        return answer[0] if answer else None


def _client_hello() -> bytes:
    """The first message of a TLS handshake. The handshake is not completed, so certificates do not matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()
