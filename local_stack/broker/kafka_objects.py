"""Topics, users and permissions of the local broker, from the topology of win-event-kafka-setup."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from confluent_kafka import KafkaException

from kafka_setup.changes.apply import ApplySettings, apply
from kafka_setup.connection.passwords import password_file
from kafka_setup.connection.session import KafkaUnavailableError, open_admin
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection, Secret, read_password_file
from kafka_setup.topology.file import TopologyError, load_topology
from kafka_setup.topology.resources import EVENTS, REJECTED, Topology
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.layout import Stack
from local_stack.processes import StartError, no_stack, wait_for

OBSERVER = "observer"


def connection(stack: Stack, user: str) -> KafkaConnection:
    """The connection of `user` to this stack's broker."""
    return KafkaConnection(
        stack.bootstrap_servers,
        stack.security_protocol,
        username=user,
        password=password(stack, user),
        ca_file=stack.ca_file,
    )


def wait_for_brokers(stack: Stack) -> None:
    """Wait until every broker has joined: a topic of replication factor 3 needs three. Raises StartError."""
    log = stack.logs / "kafka-1.log"
    try:
        admin = open_admin(connection(stack, SUPER_USER))
    except KafkaUnavailableError as error:
        raise StartError(str(error), log) from error

    def joined() -> bool:
        try:
            return (
                len(admin.describe_cluster(request_timeout=REQUEST_TIMEOUT).result().nodes) == stack.brokers
            )
        except KafkaException:  # a broker that is busy with its start
            return False

    wait_for(
        joined,
        300.0,
        f"not all of {stack.brokers} brokers joined the cluster",
        log,
    )


def stack_topology(stack: Stack) -> Topology:
    """The topology of the local broker. Raises StartError if the file cannot be used."""
    try:
        return load_topology(Path(stack.topology) if stack.topology else None)
    except TopologyError as error:
        raise StartError(f"the topology {error}") from error


def topic_variables(stack: Stack) -> dict[str, str]:
    """Variables with the names of the bridge's topics, for the user's own topology. Raises StartError."""
    if not stack.topology:
        return {}
    variables = {EVENTS: "KAFKA_TOPIC", REJECTED: "KAFKA_REJECTED_TOPIC"}
    return {variables[topic.role]: topic.name for topic in stack_topology(stack).topics if topic.role}


def watcher(stack: Stack) -> str:
    """The user for status and doctor: the user's own topology may have no observer."""
    names = {user.name for user in stack_topology(stack).users}
    return OBSERVER if OBSERVER in names else SUPER_USER


def apply_topology(stack: Stack) -> list[str]:
    """Apply the topology to the broker; returns lines about it. Raises StartError."""
    login = connection(stack, SUPER_USER)
    try:
        topology = stack_topology(stack)
        passwords = {user.name: password(stack, user.name) for user in topology.users}
        results = apply(ApplySettings(topology, login, passwords, reset_passwords=True))
    except (KafkaUnavailableError, KafkaException) as error:
        raise StartError(str(error), stack.logs / "kafka-1.log") from error
    failed = [f"{row.kind} {row.name}: {row.detail}" for row in results if row.failed]
    if failed:
        raise StartError("; ".join(failed))
    counts = Counter(row.status for row in results)
    counted = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    remarks = [row.detail for row in results if row.status == "remark"]
    return [f"topics, users and permissions: {counted}", *remarks]


def password(stack: Stack, user: str) -> Secret:
    """The password of a user.

    Raises StartError without a stack, ConnectionSettingsError if the file cannot be read.
    """
    file = password_file(stack.secrets, user)
    if not file.exists():
        raise no_stack(stack)
    return read_password_file(file)
