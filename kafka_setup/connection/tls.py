"""Finds why a TLS handshake fails: librdkafka reports no reason, but a handshake by Python does."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime, timezone

from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection, servers_of

# OpenSSL's X509_V_ERR_* numbers.
_EXPIRED = (10,)
_NOT_YET = (9,)
_UNKNOWN_ISSUER = (18, 19, 20, 21)
_OTHER_NAME = (62, 64)


def certificate_problem(connection: KafkaConnection) -> str | None:
    """One line about the first bootstrap server whose certificate is not accepted here, either, or None."""
    for server, host, port in servers_of(connection.bootstrap_servers):
        try:
            _shake_hands(host, port, connection)
        except ssl.SSLCertVerificationError as error:
            return _explain(server, error, connection)
        except OSError:
            continue
    return None


def _shake_hands(host: str, port: int, connection: KafkaConnection) -> None:
    context = ssl.create_default_context(cafile=str(connection.ca_file) if connection.ca_file else None)
    with (
        socket.create_connection((host, port), timeout=REQUEST_TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=host),
    ):
        pass


def _explain(server: str, error: ssl.SSLCertVerificationError, connection: KafkaConnection) -> str:
    authority = f"KAFKA_CA_FILE={connection.ca_file}" if connection.ca_file else "the system's authorities"
    if error.verify_code in _EXPIRED:
        if connection.ca_file and (since := _authority_expired(connection)):
            return f"the authority in {connection.ca_file} expired on {since:%Y-%m-%d}: get the new one"
        return f"the certificate of {server} has expired: renew it on the broker"
    if error.verify_code in _NOT_YET:
        return f"the certificate of {server} is not valid yet: check the clocks of both machines"
    if error.verify_code in _UNKNOWN_ISSUER:
        return f"{server} has a certificate that {authority} did not sign: set KAFKA_CA_FILE to its authority"
    if error.verify_code in _OTHER_NAME:
        return f"{server} has a certificate for another name ({error.verify_message}): use that name"
    return f"the certificate of {server} is not accepted: {error.verify_message}"


def _authority_expired(connection: KafkaConnection) -> datetime | None:
    """When the last authority of the CA file expired, or None while one is still valid."""
    context = ssl.create_default_context(cafile=str(connection.ca_file))
    ends = [
        datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), timezone.utc)
        for found in context.get_ca_certs()
    ]
    newest = max(ends, default=None)
    return newest if newest and newest < datetime.now(timezone.utc) else None
