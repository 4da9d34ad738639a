"""Turns an error of the Kafka client into one line for the person at the terminal. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kafka_setup.connection.settings import KafkaConnection


@dataclass(frozen=True)
class Diagnosis:
    """The cause of an error. `final`: the same settings will never work, so trying again is useless.

    `handshake`: TLS failed, and our own handshake may find the reason. `offered`: the mechanisms of the
    listener, if it does not have the requested one.
    """

    final: bool
    text: str
    handshake: bool = False
    offered: str = ""


def diagnose(name: str, text: str, connection: KafkaConnection) -> Diagnosis | None:
    """The meaning of the client's error `name` (such as _AUTHENTICATION) with `text`; None if unknown."""
    where = connection.bootstrap_servers
    if name == "_AUTHENTICATION":
        offered = re.search(r"supported mechanisms: ([\w,-]+)", text)
        words = offered[1].replace(",", ", ") if offered else ""
        return Diagnosis(True, _refused_login(text, words, connection), offered=words)
    if name == "_SSL" or "SSL handshake failed" in text:
        # A broker that stops resets a handshake, too: only a bad certificate is final.
        return Diagnosis(name == "_SSL", f"TLS with {where} failed: {_reason(text)}", handshake=True)
    if name == "_RESOLVE":
        host = re.search(r"resolve '([^']+)'", text)
        return Diagnosis(
            False,
            f"unknown host {host[1] if host else where}: check KAFKA_BOOTSTRAP_SERVERS and the name service",
        )
    if "Connection refused" in text:
        return Diagnosis(False, f"nothing listens on {where}: is the broker up, and is that its port?")
    if name == "_TRANSPORT":
        return Diagnosis(
            False,
            f"{where} closes the connection: still starting, or not a {connection.security_protocol} listener"
            f" ({_reason(text)})",
            handshake=connection.uses_tls,
        )
    return None


def setup_command(environment: Mapping[str, str], events: str, rejected: str | None = None) -> str:
    """What creates these topics and allows the jobs' users to use them, as one types it.

    If WIN_EVENT_TOPOLOGY names the user's own file, the names of the topics are in that file.
    """
    if topology := environment.get("WIN_EVENT_TOPOLOGY"):
        return f"`win-event-kafka-setup apply`, when {topology} names it"
    other = f" --kafka-rejected-topic {rejected}" if rejected else ""
    return f"`win-event-kafka-setup apply --kafka-topic {events}{other}`"


def wrong_settings(text: str, connection: KafkaConnection) -> str:
    """Why librdkafka refuses the settings themselves, as one line."""
    for setting, variable, file in (
        ("ssl.ca.location", "KAFKA_CA_FILE", connection.ca_file),
        ("ssl.certificate.location", "KAFKA_CERTIFICATE_FILE", connection.certificate_file),
        ("ssl.key.location", "KAFKA_KEY_FILE", connection.key_file),
    ):
        if setting in text:
            return f"{variable}={file} cannot be used: is it a PEM file? ({text.rpartition(':')[2].strip()})"
    return f"Kafka client settings: {text}"


def _refused_login(text: str, offered: str, connection: KafkaConnection) -> str:
    where = connection.bootstrap_servers
    if connection.uses_oauth and "token" in text:
        return (
            f"{_reason(text)}: check KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL, …_CLIENT_ID, …_CLIENT_SECRET"
        )
    if offered:
        return (
            f"{where} does not offer {connection.sasl_mechanism}: "
            f"set KAFKA_SASL_MECHANISM to one of {offered}"
        )
    if "invalid credentials" in text or connection.username:
        return (
            f"{where} refused the login of {connection.username!r} with {connection.sasl_mechanism}: "
            "check KAFKA_USERNAME and KAFKA_PASSWORD (or KAFKA_PASSWORD_FILE)"
        )
    return f"{where} refused the login: {_reason(text)}"


def _reason(text: str) -> str:
    """The message without the client's own prefix (address/bootstrap:) and suffix (after 1ms in state …)."""
    return re.sub(r"\s*\(after \d+ms in state \w+.*\)$", "", re.sub(r"^\S+://\S+: ", "", text))
