"""KRaft brokers with SASL/SCRAM and ACLs, configured by deploy/kafka/broker.properties."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from kafka_setup.connection.broker_login import scram_file
from local_stack import observe, processes
from local_stack.broker.certificates import ensure_certificates
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.jars import shared_classes
from local_stack.jars.jars import read_lock
from local_stack.jars.java import SHORT_LIVED, java_home, server_options
from local_stack.layout import DEPLOY, Stack
from toolkit.addresses import LOOPBACK

_CONFIG = DEPLOY / "kafka" / "broker.properties"


def name(number: int) -> str:
    return f"kafka-{number}"


def require_running(stack: Stack) -> None:
    """Raise StartError if the stack has no running broker: nobody should wait for its answer."""
    if not any(processes.running(stack, name(number)) for number in stack.broker_numbers):
        raise processes.StartError(f"no broker runs in {stack.directory}. First: win-event-stack up")


def start_brokers(stack: Stack, numbers: Sequence[int]) -> None:
    """Start these brokers and return when they accept connections. Raises StartError."""
    for number in numbers:
        processes.check_port_free(stack.kafka_port_of(number), "Kafka", "--kafka-port")
        processes.check_port_free(stack.controller_port_of(number), "Kafka's controller", "--controller-port")
    _check_quorum(stack)
    if stack.ca_file:
        ensure_certificates(stack.ca_file, stack.keystore)
    _format_storages(stack)
    daemons = {number: _start(stack, number) for number in numbers}
    for number, daemon in daemons.items():
        processes.wait_until_listening(daemon, stack.kafka_port_of(number))


def _start(stack: Stack, number: int) -> processes.Daemon:
    folder = _folder(stack, number)
    secrets = folder / "secrets"
    if not secrets.is_symlink():
        secrets.symlink_to(stack.kafka_logins, target_is_directory=True)
    logging = f"-Dlog4j2.configurationFile={DEPLOY / 'kafka' / 'log4j2.properties'}"
    command = [
        *java_command(stack),
        "-Xms256m",
        "-Xmx512m",
        *server_options(),
        logging,
        *observe.broker_options(stack, number),
    ]
    command += ["kafka.Kafka", str(_CONFIG)]
    if stack.brokers > 1:
        # A controlled shutdown asks the controllers; `down` stops those, too, so the last broker would wait
        # forever.
        command += ["--override", "controlled.shutdown.enable=false"]
    environment = _environment(stack, number, _data(stack, number))
    return processes.start(stack, name(number), command, environment, folder)


def _check_quorum(stack: Stack) -> None:
    """Refuse another number of brokers: the controllers' quorum is fixed when their storage is formatted."""
    formatted = [number for number in range(1, 10) if _data(stack, number).exists()]
    if formatted and formatted != list(stack.broker_numbers):
        raise processes.StartError(
            f"{stack.directory} holds the data of {len(formatted)} broker(s), not of {stack.brokers}. "
            "To start over without the data: win-event-stack down --wipe"
        )


def _format_storages(stack: Stack) -> None:
    """Write every broker's first metadata, completely or not at all, with the super user's credential."""
    if _data(stack, stack.brokers).exists():
        return
    cluster_id = _new_cluster_id()
    for number in stack.broker_numbers:
        _format_storage(stack, number, cluster_id)
    for number in stack.broker_numbers:
        _draft(stack, number).rename(_data(stack, number))


def _format_storage(stack: Stack, number: int, cluster_id: str) -> None:
    draft = _draft(stack, number)
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    command = [*java_command(stack), *SHORT_LIVED, "kafka.tools.StorageTool", "format", "-t", cluster_id]
    command += ["-c", str(_CONFIG)]
    result = subprocess.run(
        [*command, "--add-scram", f"@{scram_file(stack.kafka_logins.parent, SUPER_USER)}"],
        env=_environment(stack, number, draft),
        cwd=draft.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise processes.StartError(f"the broker's storage could not be formatted: {result.stderr.strip()}")


def _new_cluster_id() -> str:
    """A UUID as Kafka writes it; never with a leading "-", which its storage tool takes for an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def java_command(stack: Stack) -> list[str]:
    """Java with the jars of Kafka; the caller appends further options, the class and its arguments."""
    jars = class_path(stack)
    shared = shared_classes.options("kafka", jars, stack.jars)
    return [str(java_home() / "bin" / "java"), *shared, "-cp", ":".join(map(str, jars))]


def class_path(stack: Stack) -> list[Path]:
    return [stack.jars / jar.file_name for jar in read_lock("kafka")]


def _environment(stack: Stack, number: int, data: Path) -> dict[str, str]:
    """All variables that broker.properties uses by ${env:…}, and none of the user's own environment."""
    address = f"{LOOPBACK}:{stack.kafka_port_of(number)}"
    voters = [f"{each}@{LOOPBACK}:{stack.controller_port_of(each)}" for each in stack.broker_numbers]
    return {
        "PATH": os.environ.get("PATH", ""),
        "BROKER_NODE_ID": str(number),
        "BROKER_QUORUM_VOTERS": ",".join(voters),
        "BROKER_BIND_ADDRESS": address,
        # Clients may need to use a proxy; the fault tests put one there.
        "BROKER_ADVERTISED_ADDRESS": os.environ.get("BROKER_ADVERTISED_ADDRESS", address),
        "BROKER_CONTROLLER_ADDRESS": f"{LOOPBACK}:{stack.controller_port_of(number)}",
        "BROKER_SECURITY_PROTOCOL": stack.security_protocol,
        "BROKER_KEYSTORE": str(stack.keystore),
        "BROKER_TRUSTSTORE": str(stack.ca_file or ""),
        "BROKER_DATA_DIR": str(data),
        "BROKER_REPLICATION": str(min(stack.brokers, 3)),
        "BROKER_MIN_INSYNC": "2" if stack.brokers >= 3 else "1",
    }


def _folder(stack: Stack, number: int) -> Path:
    return stack.directory / "kafka" / name(number)


def _data(stack: Stack, number: int) -> Path:
    return _folder(stack, number) / "data"


def _draft(stack: Stack, number: int) -> Path:
    return _folder(stack, number) / ".data-draft"
