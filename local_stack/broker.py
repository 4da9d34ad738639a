"""A single-node KRaft broker with SASL/SCRAM and ACLs, configured by deploy/kafka/broker.properties."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import uuid
from pathlib import Path

from kafka_setup.scram import scram_credential
from local_stack import observe, processes
from local_stack.java import java_home
from local_stack.layout import DEPLOY, LOOPBACK, Stack
from local_stack.passwords import SUPER_USER

NAME = "kafka-1"
_CONFIG = DEPLOY / "kafka" / "broker.properties"


def start_broker(stack: Stack) -> processes.Daemon:
    """Start the broker and return when it accepts connections. Raises StartError."""
    processes.check_port_free(stack.kafka_port, "Kafka", "--kafka-port")
    processes.check_port_free(stack.controller_port, "Kafka's controller", "--controller-port")
    folder = _folder(stack)
    folder.mkdir(parents=True, exist_ok=True)
    secrets = folder / "secrets"
    if not secrets.is_symlink():
        secrets.symlink_to(stack.secrets, target_is_directory=True)
    if not _data(stack).exists():
        _format_storage(stack)
    logging = f"-Dlog4j2.configurationFile={DEPLOY / 'kafka' / 'log4j2.properties'}"
    command = [*_java(stack), "-Xms256m", "-Xmx512m", logging, *observe.broker_options(stack)]
    command += ["kafka.Kafka", str(_CONFIG)]
    daemon = processes.start(stack, NAME, command, _environment(stack, _data(stack)), folder)
    processes.wait_until_listening(daemon, stack.kafka_port)
    return daemon


def _format_storage(stack: Stack) -> None:
    """Write the first metadata, with the admin's SCRAM credential; whole or not at all."""
    draft = _folder(stack) / ".data-draft"
    shutil.rmtree(draft, ignore_errors=True)
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = [*_java(stack), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(_CONFIG)]
    password = (stack.secrets / SUPER_USER).read_bytes()
    command += ["--add-scram", scram_credential(SUPER_USER, password, os.urandom(24))]
    result = subprocess.run(
        command,
        env=_environment(stack, draft),
        cwd=_folder(stack),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise processes.StartError(f"the broker's storage could not be formatted: {result.stderr.strip()}")
    draft.rename(_data(stack))


def _java(stack: Stack) -> list[str]:
    return [str(java_home() / "bin" / "java"), "-cp", f"{stack.directory / 'kafka' / 'libs'}/*"]


def _environment(stack: Stack, data: Path) -> dict[str, str]:
    """Everything broker.properties asks for by ${env:…}, and nothing of the person's own environment."""
    address = f"{LOOPBACK}:{stack.kafka_port}"
    controller = f"{LOOPBACK}:{stack.controller_port}"
    return {
        "PATH": os.environ.get("PATH", ""),
        "BROKER_NODE_ID": "1",
        "BROKER_QUORUM_VOTERS": f"1@{controller}",
        "BROKER_BIND_ADDRESS": address,
        "BROKER_ADVERTISED_ADDRESS": address,
        "BROKER_CONTROLLER_ADDRESS": controller,
        "BROKER_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "BROKER_DATA_DIR": str(data),
        "BROKER_REPLICATION": "1",
        "BROKER_MIN_INSYNC": "1",
    }


def _folder(stack: Stack) -> Path:
    return stack.directory / "kafka" / NAME


def _data(stack: Stack) -> Path:
    return _folder(stack) / "data"
