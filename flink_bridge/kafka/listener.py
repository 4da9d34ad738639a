"""Checks whether a broker's listener uses TLS: the most common mistake, found before Flink starts."""

from __future__ import annotations

import socket
import ssl

from flink_bridge.kafka.settings import KafkaSettings

_SECONDS = 2.5
_ALERT = 0x15  # the first byte of what a TLS server says to one who does not begin a handshake
# ApiVersions, which a listener without TLS answers: length, key 18, version 0, correlation id, no client id.
_API_VERSIONS = b"\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff"


def protocol_mismatch(kafka: KafkaSettings) -> str | None:
    """What to set when the first server that can be reached speaks TLS and we would not, or the reverse."""
    for server in kafka.bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            speaks_tls = _speaks_tls(host.strip("[]"), int(port), kafka.uses_tls)
        except (OSError, ValueError):
            continue  # the checks with Kafka's own client say why
        if speaks_tls is None or speaks_tls == kafka.uses_tls:
            return None
        sasl = "SASL_" if kafka.uses_sasl else ""
        if speaks_tls:
            right, more = f"{sasl}SSL", ", and the brokers' authority in KAFKA_CA_FILE"
        else:
            right, more = (f"{sasl}PLAINTEXT" if sasl else "PLAINTEXT"), ""
        return (
            f"Kafka at {server.strip()} {'speaks' if speaks_tls else 'does not speak'} TLS, and the security "
            f"protocol is {kafka.security_protocol}: set KAFKA_SECURITY_PROTOCOL={right}{more}"
        )
    return None


def _speaks_tls(host: str, port: int, expected: bool) -> bool | None:
    """None when the answer tells neither. Raises OSError when there is nothing to talk to."""
    if not expected:
        if _answers_in_clear(host, port):
            return False
        # A TLS listener says that it does not understand, or just hangs up.
        return _shakes_hands(host, port) or None
    return _shakes_hands(host, port)


def _answers_in_clear(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=_SECONDS) as connection:
        connection.sendall(_API_VERSIONS)
        try:
            answer = connection.recv(1)
        except ConnectionResetError:
            return False
        return bool(answer) and answer[0] != _ALERT


def _shakes_hands(host: str, port: int) -> bool | None:
    """Certificates are not looked at: that is for the checks with Kafka's own client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as connection,
            context.wrap_socket(connection),
        ):
            return True
    except TimeoutError:
        return None
    except ssl.SSLError as error:
        # A server that asks for a certificate or knows no common cipher says so in TLS; others just end.
        return "ALERT" in (error.reason or "") or None if "EOF" not in str(error) else False
    except ConnectionResetError:
        return False
