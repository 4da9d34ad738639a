"""Topics, users and permissions of the local broker: the topology that win-event-kafka-setup ships."""

from __future__ import annotations

from collections import Counter

from kafka_setup.changes.apply import ApplySettings, apply
from kafka_setup.connection.passwords import password_file
from kafka_setup.connection.session import KafkaUnavailableError, open_admin
from kafka_setup.connection.settings import KafkaConnection, Secret, read_password_file
from kafka_setup.topology.file import load_topology
from kafka_setup.topology.resources import Topology
from local_stack.broker.passwords import SUPER_USER
from local_stack.layout import Stack
from local_stack.processes import StartError, wait_for


def connection(stack: Stack, user: str) -> KafkaConnection:
    """How `user` reaches this stack's broker."""
    return KafkaConnection(
        stack.bootstrap_servers,
        stack.security_protocol,
        username=user,
        password=password(stack, user),
        ca_file=stack.ca_file,
    )


def wait_for_brokers(stack: Stack) -> None:
    """Return when every broker has joined: a topic of replication factor 3 needs three. Raises StartError."""
    log = stack.logs / "kafka-1.log"
    try:
        admin = open_admin(connection(stack, SUPER_USER))
    except KafkaUnavailableError as error:
        raise StartError(str(error), log) from error
    wait_for(
        lambda: len(admin.describe_cluster().result().nodes) == stack.brokers,
        60.0,
        f"not all of {stack.brokers} brokers joined the cluster",
        log,
    )


def stack_topology() -> Topology:
    """What the local broker should hold."""
    return load_topology()


def apply_topology(stack: Stack) -> str:
    """Make the broker what the topology says; returns one line about it. Raises StartError."""
    topology = stack_topology()
    passwords = {user.name: password(stack, user.name) for user in topology.users}
    settings = ApplySettings(topology, connection(stack, SUPER_USER), passwords, reset_passwords=True)
    try:
        results = apply(settings)
    except KafkaUnavailableError as error:
        raise StartError(str(error), stack.logs / "kafka-1.log") from error
    failed = [f"{row.kind} {row.name}: {row.detail}" for row in results if row.failed]
    if failed:
        raise StartError("; ".join(failed), stack.logs / "kafka-1.log")
    counts = Counter(row.status for row in results)
    return "topics, users and permissions: " + ", ".join(
        f"{n} {status}" for status, n in sorted(counts.items())
    )


def password(stack: Stack, user: str) -> Secret:
    """Raises ConnectionSettingsError."""
    return read_password_file(password_file(stack.secrets, user))
