"""A SCRAM credential in its salted form, as `kafka-storage format --add-scram` takes it.

The first broker needs its own login before there is a broker to create one; the clear password must not
stand on a command line.
`python -m kafka_setup.connection.scram USER FILE` prints the credential of FILE's password.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from pathlib import Path

ITERATIONS = 8192


def scram_credential(user: str, password: bytes, salt: bytes) -> str:
    """SCRAM-SHA-512=[…] with RFC 5802's SaltedPassword."""
    salted = hashlib.pbkdf2_hmac("sha512", password, salt, ITERATIONS)
    return (
        f"SCRAM-SHA-512=[name={user},iterations={ITERATIONS},"
        f'salt="{_base64(salt)}",saltedpassword="{_base64(salted)}"]'
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


if __name__ == "__main__":
    user, file = sys.argv[1:]
    sys.stdout.write(scram_credential(user, Path(file).read_bytes().rstrip(b"\r\n"), os.urandom(24)))
