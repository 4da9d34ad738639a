"""A new certificate authority, and the one certificate that it signs before its key is discarded."""

from __future__ import annotations

from pathlib import Path

from toolkit.addresses import LOOPBACK
from toolkit.atomic_file import write_atomically


def ensure_certificates(authority: Path, keystore: Path) -> None:
    """Make the certificates, if they do not exist.

    `authority`: the CA's certificate; `keystore`: the brokers' key and chain; both PEM, made once. Nobody can
    sign a second certificate: the authority's key exists only while this runs. Therefore the certificates may
    stay valid as long as the stack's folder exists.
    """
    if authority.exists() and keystore.exists():
        return
    import trustme  # it loads cryptography, which only a stack with TLS needs

    ca = trustme.CA(path_length=0, organization_name="win-event-stack")
    broker = ca.issue_cert("localhost", LOOPBACK, organization_name="win-event-stack")
    chain = b"".join(pem.bytes() for pem in (*broker.cert_chain_pems, ca.cert_pem))
    write_atomically(keystore, _pkcs8(broker.private_key_pem.bytes()) + chain.decode(), mode=0o600)
    write_atomically(authority, ca.cert_pem.bytes().decode())


def _pkcs8(key: bytes) -> str:
    """The key as PKCS#8, the only PEM form that Kafka reads."""
    from cryptography.hazmat.primitives import serialization

    return (
        serialization.load_pem_private_key(key, password=None)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )
