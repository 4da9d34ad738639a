"""The arithmetic of SCRAM (RFC 5802), by which a server can test a password without knowing it. Pure.

`mechanism` is a name of SCRAM_HASHES. Every value has as many bytes as its hash.
"""

from __future__ import annotations

import hashlib
import hmac

from kafka_setup.connection.security import SCRAM_HASHES


def salted_password(mechanism: str, password: str, salt: bytes, iterations: int) -> bytes:
    """What all other values are made of. It allows a login like the password itself."""
    return hashlib.pbkdf2_hmac(SCRAM_HASHES[mechanism], password.encode(), salt, iterations)


def stored_key(mechanism: str, salted: bytes) -> bytes:
    """What a server stores to test a client's proof."""
    return hashlib.new(SCRAM_HASHES[mechanism], _client_key(mechanism, salted)).digest()


def server_key(mechanism: str, salted: bytes) -> bytes:
    """What a server stores to prove itself to a client."""
    return hmac.digest(salted, b"Server Key", SCRAM_HASHES[mechanism])


def client_proof(mechanism: str, salted: bytes, messages: str) -> bytes:
    """What a client sends to log in; `messages` is RFC 5802's AuthMessage."""
    signature = hmac.digest(stored_key(mechanism, salted), messages.encode(), SCRAM_HASHES[mechanism])
    return bytes(a ^ b for a, b in zip(_client_key(mechanism, salted), signature, strict=True))


def _client_key(mechanism: str, salted: bytes) -> bytes:
    return hmac.digest(salted, b"Client Key", SCRAM_HASHES[mechanism])
