"""A certificate authority made on the spot, and the one certificate it signs before its key is forgotten."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local_stack.layout import LOOPBACK, write_atomically

_LIFETIME = timedelta(days=365)
_RENEW_BEFORE = timedelta(days=1)


def ensure_certificates(authority: Path, keystore: Path) -> None:
    """`authority`: the CA's certificate; `keystore`: the brokers' key and chain; PEM, made anew when old."""
    if _is_fresh(authority) and keystore.exists():
        return
    ca, broker, key = make_certificates(datetime.now(timezone.utc), _LIFETIME)
    write_atomically(authority, ca)
    write_atomically(keystore, key + broker + ca, mode=0o600)


def make_certificates(now: datetime, lifetime: timedelta) -> tuple[str, str, str]:
    """The authority's certificate, the brokers' certificate and the brokers' key (PKCS 8), as PEM text.

    The authority's key exists only while this runs: nobody can sign a second certificate with it.
    """
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "win-event-stack authority")])
    ca = (
        _certificate(ca_name, ca_name, ca_key.public_key(), now, lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "win-event-stack broker")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
    broker = (
        _certificate(name, ca_name, key.public_key(), now, lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _pem(ca), _pem(broker), private.decode()


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _is_fresh(authority: Path) -> bool:
    if not authority.exists():
        return False
    certificate = x509.load_pem_x509_certificate(authority.read_bytes())
    return certificate.not_valid_after_utc > datetime.now(timezone.utc) + _RENEW_BEFORE
