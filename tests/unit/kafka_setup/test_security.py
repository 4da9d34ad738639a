"""The words of Kafka's security mean the same everywhere, and the arithmetic of SCRAM is RFC 5802's."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import get_args

import pytest

from kafka_setup.connection.scram import client_proof, salted_password, server_key, stored_key
from kafka_setup.connection.security import (
    DEFAULT_MECHANISM,
    DEFAULT_PROTOCOL,
    LOGIN_MODULES,
    PASSWORD_MECHANISMS,
    SCRAM_HASHES,
    SECURITY_PROTOCOLS,
    protocol_with,
    uses_sasl,
    uses_tls,
)
from kafka_setup.topology.format import Mechanism
from kafka_setup.topology.resources import NO_CREDENTIAL
from local_stack.layout import DEPLOY


def test_the_topology_takes_every_mechanism_for_which_kafka_stores_a_credential() -> None:
    assert get_args(Mechanism) == (*SCRAM_HASHES, NO_CREDENTIAL)


def test_every_mechanism_with_a_password_has_a_login_module() -> None:
    assert LOGIN_MODULES.keys() == set(PASSWORD_MECHANISMS)


def test_the_stack_s_broker_offers_the_default_mechanism() -> None:
    properties = (DEPLOY / "kafka" / "broker.properties").read_text()
    assert f"\nsasl.enabled.mechanisms={DEFAULT_MECHANISM}\n" in properties
    assert DEFAULT_PROTOCOL in SECURITY_PROTOCOLS


@pytest.mark.parametrize("protocol", SECURITY_PROTOCOLS)
def test_a_protocol_is_its_login_and_its_encryption(protocol: str) -> None:
    assert protocol_with(sasl=uses_sasl(protocol), tls=uses_tls(protocol)) == protocol


def test_the_example_of_rfc_7677() -> None:
    """A login of `user` with the password `pencil` by SCRAM-SHA-256."""
    first = "n=user,r=rOprNGfwEbeRWgbNEkqO"
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    challenge = f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    salted = salted_password("SCRAM-SHA-256", "pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    messages = f"{first},{challenge},c=biws,r={nonce}"
    proof = client_proof("SCRAM-SHA-256", salted, messages)
    assert base64.b64encode(proof) == b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    signature = hmac.digest(server_key("SCRAM-SHA-256", salted), messages.encode(), "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    # A server tests a proof by the key that it stores.
    mask = hmac.digest(stored_key("SCRAM-SHA-256", salted), messages.encode(), "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, mask, strict=True))
    assert hashlib.sha256(client_key).digest() == stored_key("SCRAM-SHA-256", salted)
