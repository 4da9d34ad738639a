"""The stack's own passwords: random, made once, one file each, readable by their owner only."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable
from pathlib import Path

from local_stack.layout import write_atomically

SUPER_USER = "kafka"  # the broker itself; runs the first `apply` and nothing else
_ALPHABET = string.ascii_letters + string.digits  # nothing that JAAS, a shell or YAML would have to escape


def ensure_passwords(directory: Path, users: Iterable[str]) -> None:
    """One file each for the brokers themselves and for `users`."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for user in (SUPER_USER, "controller", *users):
        path = directory / user
        if not path.exists():
            # No newline: Kafka's DirectoryConfigProvider takes the file as it is.
            password = "".join(secrets.choice(_ALPHABET) for _ in range(32))
            write_atomically(path, password, mode=0o600)
