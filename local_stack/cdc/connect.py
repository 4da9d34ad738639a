"""One Kafka Connect worker with Debezium, as a daemon of the stack: configured by deploy/connect."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from kafka_setup.connection.passwords import password_file
from local_stack import processes
from local_stack.broker.broker import java_command
from local_stack.broker.kafka_objects import stack_topology
from local_stack.cdc import postgres
from local_stack.layout import DEPLOY, Stack
from toolkit.addresses import LOOPBACK
from toolkit.atomic_file import write_atomically

NAME = "connect"
USER = "connect"  # in Kafka
_CONFIG = DEPLOY / "connect" / "worker.properties"
# The folders of the containers, as named in the shared files.
_SECRETS, _PLUGINS = "/connect/secrets", "/connect/plugins"


def start_connect(stack: Stack, plugin: Sequence[Path]) -> None:
    """Start the worker; returns when the REST API listens. `plugin`: Debezium's jars. Raises StartError."""
    _link_plugin(_plugins(stack) / "debezium", plugin)
    processes.wait_until_listening(launch(stack), stack.connect_port, 120)


def launch(stack: Stack) -> processes.Daemon:
    """Start the worker with the plugin that it had. Raises StartError."""
    processes.check_port_free(stack.connect_port, "Kafka Connect", "--connect-port")
    if USER not in [user.name for user in stack_topology(stack).users]:
        raise processes.StartError(
            f"the topology has no user {USER!r}: copy it and its topics from the one that is shipped "
            "(win-event-kafka-setup init)"
        )
    folder = stack.cdc_directory / "connect"
    _write_secrets(stack)
    worker = folder / "worker.properties"
    write_atomically(worker, with_folders_of(stack, _CONFIG.read_text(encoding="utf-8")))
    logging = f"-Dlog4j2.configurationFile={DEPLOY / 'kafka' / 'log4j2.properties'}"
    command = [*java_command(stack), "-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", logging]
    command += ["org.apache.kafka.connect.cli.ConnectDistributed", str(worker)]
    return processes.start(stack, NAME, command, _environment(stack), folder)


def has_a_place_in(topic: str) -> bool:
    """Whether Connect depends on this topic: it wrote the topic's records, or stores its position there."""
    return topic.startswith(("inventory.", "win-event-connect-"))


def with_folders_of(stack: Stack, text: str) -> str:
    """A file of deploy/connect, with this stack's folders of passwords and plugins."""
    return text.replace(_SECRETS, str(_secrets(stack))).replace(_PLUGINS, str(_plugins(stack)))


def _plugins(stack: Stack) -> Path:
    return stack.cdc_directory / "connect" / "plugins"


def _secrets(stack: Stack) -> Path:
    """A folder with only the two passwords that Connect needs.

    Anyone who may create a connector can read it.
    """
    return stack.cdc_directory / "connect" / "secrets"


def _write_secrets(stack: Stack) -> None:
    found = {
        USER: password_file(stack.kafka_logins, USER),  # escaped for use between quotes
        "inventory_connect": postgres.secret(stack, postgres.READER),
    }
    for name, file in found.items():
        write_atomically(_secrets(stack) / name, file.read_text(encoding="utf-8"), mode=0o600)


def _link_plugin(folder: Path, jars: Sequence[Path]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for jar in jars:
        (folder / jar.name).symlink_to(jar)


def _environment(stack: Stack) -> dict[str, str]:
    """All variables that deploy/connect uses by ${env:…}."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "CONNECT_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
        "CONNECT_SECURITY_PROTOCOL": stack.security_protocol,
        "CONNECT_TRUSTSTORE": str(stack.ca_file or ""),
        "CONNECT_LISTENER": stack.connect_url,
        "CONNECT_DATABASE_HOST": LOOPBACK,
        "CONNECT_DATABASE_PORT": str(stack.postgres_port),
    }
