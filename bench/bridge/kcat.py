"""kcat as an alternative to the bridge, with the same login."""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import confluent_kafka

from kafka_setup.connection.security import DEFAULT_MECHANISM, DEFAULT_PROTOCOL
from local_stack.layout import Stack

NAME = "nc | kcat"
_LOGIN = {
    "security.protocol": DEFAULT_PROTOCOL, "sasl.mechanism": DEFAULT_MECHANISM, "sasl.username": "bridge",
    "enable.idempotence": "true", "compression.codec": "lz4", "linger.ms": "20", "batch.size": "262144",
}  # fmt: skip


def why_not(stack: Stack) -> str:
    """Why kcat cannot run here, and what to do; empty if it can."""
    if not shutil.which("nc") or not shutil.which("kcat"):
        return "nc or kcat is not installed (Debian: apt-get install netcat-openbsd kcat)"
    probe = ["bash", "-c", f"{command(stack)} -L"]
    environ = {**os.environ, **environment()}
    answer = subprocess.run(probe, env=environ, capture_output=True, text=True, check=False, timeout=60)
    return f"kcat cannot log in: {answer.stderr[-200:]}" if answer.returncode else ""


def command(stack: Stack) -> str:
    """The command for bash, to which further options of kcat can be appended."""
    settings = " ".join(f"-X {name}={value}" for name, value in _LOGIN.items())
    secret = shlex.quote(str(stack.secrets / "bridge"))
    # The password is in a configuration file on a pipe, so it is in no argument list.
    secret_file = f"<(printf 'sasl.password=%s\\n' \"$(cat {secret})\")"
    return f"kcat -F {secret_file} -b {stack.bootstrap_servers} {settings}"


@lru_cache(maxsize=1)
def environment() -> dict[str, str]:
    """Variables with which kcat uses the librdkafka of confluent-kafka.

    Before 2.6.1, SCRAM fails with Kafka 4.
    """
    bundled = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
    libraries = sorted(bundled.glob("librdkafka-*.so*"))
    if not libraries:
        return {}
    folder = tempfile.TemporaryDirectory(prefix="win-event-kcat-")
    atexit.register(folder.cleanup)
    (Path(folder.name) / "librdkafka.so.1").symlink_to(libraries[0])
    return {"LD_LIBRARY_PATH": f"{folder.name}:{bundled}"}
