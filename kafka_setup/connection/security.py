"""The words by which Kafka's security is set: protocols, SASL mechanisms, and what belongs to each. Pure."""

from __future__ import annotations

SECURITY_PROTOCOLS = ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")
DEFAULT_PROTOCOL = "SASL_PLAINTEXT"

PLAIN = "PLAIN"
OAUTHBEARER = "OAUTHBEARER"
SCRAM_HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
"""SCRAM mechanism -> its hash, as hashlib names it."""
PASSWORD_MECHANISMS = (PLAIN, *SCRAM_HASHES)
SASL_MECHANISMS = (*PASSWORD_MECHANISMS, OAUTHBEARER)
DEFAULT_MECHANISM = "SCRAM-SHA-512"

LOGIN_MODULES = {
    PLAIN: "org.apache.kafka.common.security.plain.PlainLoginModule",
    **dict.fromkeys(SCRAM_HASHES, "org.apache.kafka.common.security.scram.ScramLoginModule"),
}
"""Mechanism with a password -> the class that logs in by it in Kafka's Java client."""


def uses_sasl(protocol: str) -> bool:
    return protocol.startswith("SASL_")


def uses_tls(protocol: str) -> bool:
    return protocol.endswith("SSL")


def protocol_with(*, sasl: bool, tls: bool) -> str:
    """The security protocol that logs in by SASL or not, and is encrypted or not."""
    return f"{'SASL_' if sasl else ''}{'SSL' if tls else 'PLAINTEXT'}"
