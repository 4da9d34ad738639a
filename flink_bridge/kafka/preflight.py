"""Checks Kafka from where the job is submitted, with the job's own Kafka client, settings and login.

It runs in the JVM that PyFlink has started anyway, so it uses the same classes as the TaskManagers. The
password must be readable here, too; if it is not, only the classes are checked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from py4j.protocol import Py4JError, Py4JJavaError
from pyflink.java_gateway import get_gateway

from flink_bridge.kafka.settings import SHADED, KafkaSettings
from flink_bridge.settings import BridgeSettings
from kafka_setup.connection import jaas
from kafka_setup.connection.diagnosis import setup_command
from kafka_setup.connection.settings import REQUEST_TIMEOUT

TIMEOUT_MS = str(round(REQUEST_TIMEOUT * 1000))
WAITS = {
    "max.block.ms": TIMEOUT_MS,
    "request.timeout.ms": TIMEOUT_MS,
    # The user's own value may be shorter than the request timeout of this check; Kafka refuses that.
    "delivery.timeout.ms": str(round(REQUEST_TIMEOUT * 2000)),
}
"""How long the producer of a check waits."""

ANSWERS_SETUP = (
    "`win-event-kafka-setup apply`; for a name of your own, first add it to a topology of your own"
)
"""What creates the topics for answers and alerts, and allows the jobs to write to them."""

UNCHECKED = "note: the password is not readable here, so only the TaskManagers will try the login to Kafka"


def _advice(setup: str) -> dict[str, str]:
    """What to do, by the class of the exception.

    Kafka does not say whether a topic exists to a user who may not use it.
    """
    return {
        "SaslAuthenticationException": "check KAFKA_USERNAME and the password",
        "TopicAuthorizationException": f"create it, or allow the user WRITE on it: {setup}",
        "TransactionalIdAuthorizationException": "allow the user WRITE on it: win-event-kafka-setup apply",
        "UnknownTopicOrPartitionException": f"create the topic: {setup}",
        "TimeoutException": "does Kafka run there, does the topic exist, is the protocol right?",
    }


class Transactional(Protocol):
    """Settings of a job that may write in transactions."""

    @property
    def transaction_timeout(self) -> int: ...


class PreflightError(RuntimeError):
    """The job could not run; the text says why, and what to do."""


def class_prefix() -> str:
    """The prefix of Kafka's class names; the fat connector has moved them. Raises PreflightError."""
    try:
        loader = get_gateway().jvm.java.lang.Class
    except (OSError, RuntimeError) as error:
        last = str(error).strip().splitlines()[-1]
        raise PreflightError(f"Java did not start; is JAVA_HOME set to Java 11, 17 or 21? {last}") from None
    for prefix in (SHADED, ""):
        try:
            loader.forName(f"{prefix}org.apache.kafka.clients.producer.KafkaProducer")
        except Py4JError:
            continue
        return prefix
    raise PreflightError(
        "the Kafka connector is not on the class path: put flink-sql-connector-kafka into Flink's lib "
        "folder, name that folder in FLINK_LIB_DIR, or load what `win-event-stack env` prints"
    )


def heartbeat_timeout() -> float:
    """Seconds after which the cluster notices a lost TaskManager, by the configuration used here."""
    configuration: Any = get_gateway().jvm.org.apache.flink.configuration
    cluster = configuration.GlobalConfiguration.loadConfiguration()
    return float(cluster.get(configuration.HeartbeatManagerOptions.HEARTBEAT_TIMEOUT).toMillis()) / 1000


def secret_at_hand(kafka: KafkaSettings, environment: Mapping[str, str]) -> bool:
    """Whether the password can be read here. Raises JaasError if it cannot work anywhere."""
    if not kafka.uses_sasl:
        return True
    if kafka.password_file is None:
        secret, origin = environment.get("KAFKA_PASSWORD"), "KAFKA_PASSWORD"
    else:
        origin = kafka.password_file
        try:
            secret = Path(kafka.password_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            secret = None
    if secret and not kafka.any_password:
        jaas.check_inserted_verbatim(secret, origin)
    return bool(secret)


def check(settings: BridgeSettings, prefix: str) -> str | None:
    """Log in, look up both topics, and begin like a transactional producer. Raises PreflightError, JaasError.

    Returns what could not be checked here, or None.
    """
    if not secret_at_hand(settings.kafka, os.environ):
        return UNCHECKED
    properties = settings.kafka.producer_properties(prefix) | WAITS
    properties["client.id"] = "win-event-bridge-check"
    if settings.delivery == "exactly-once":
        properties["transactional.id"] = f"{settings.transactional_id_prefix}-check"
        properties["transaction.timeout.ms"] = str(settings.transaction_timeout * 1000)
    try:
        try_producer(properties, prefix, (settings.topic, settings.rejected_topic))
    except Py4JJavaError as error:
        raise PreflightError(
            told(error.java_exception, settings.kafka, bridge_setup(settings), settings)
        ) from None
    return None


def bridge_setup(settings: BridgeSettings) -> str:
    """What creates the topics of the bridge, as one types it."""
    return setup_command(os.environ, settings.topic, settings.rejected_topic)


def java_properties(properties: Mapping[str, str]) -> Any:
    values = get_gateway().jvm.java.util.Properties()
    for name, value in properties.items():
        values.setProperty(name, value)
    return values


def kafka_package(prefix: str) -> Any:
    """The Java package org.apache.kafka, where the connector has it."""
    package: Any = get_gateway().jvm
    for name in f"{prefix}org.apache.kafka".split("."):
        package = getattr(package, name)
    return package


def try_producer(properties: Mapping[str, str], prefix: str, topics: tuple[str, ...]) -> None:
    """Log in, look up the topics, and begin like a transactional producer. Raises Py4JJavaError."""
    jvm: Any = get_gateway().jvm
    kafka = kafka_package(prefix)
    serializer = kafka.common.serialization.ByteArraySerializer
    producer = kafka.clients.producer.KafkaProducer(java_properties(properties), serializer(), serializer())
    try:
        for topic in topics:
            producer.partitionsFor(topic)
        if "transactional.id" in properties:
            producer.initTransactions()
    finally:
        producer.close(jvm.java.time.Duration.ofSeconds(0))


def told(
    exception: Any,
    kafka: KafkaSettings,
    setup: str,
    settings: Transactional | None = None,
    advice: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The innermost reason as a sentence, with what to do.

    `setup`: what creates the topics and the permissions. `settings`: of a job that may write in transactions.
    `advice`: other advice, by the class of the exception.
    """
    while exception.getCause() is not None:
        exception = exception.getCause()
    name = exception.getClass().getSimpleName()
    where = f"Kafka at {kafka.bootstrap_servers} as {kafka.username or 'nobody'}"
    message = str(exception.getMessage()).rstrip(".")
    hint = advice.get(name) or _advice(setup).get(name, "")
    if settings and "transaction.max.timeout.ms" in message:
        hint = f"lower --transaction-timeout {settings.transaction_timeout}"
    sentence = f"{where}: {name}: {message}{f'; {hint}' if hint else ''}"
    return f"{sentence}{'' if sentence.endswith('?') else '.'} --no-check submits anyway"
