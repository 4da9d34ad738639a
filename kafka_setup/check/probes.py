"""Tries one operation as one user, and reports the broker's answer, without leaving anything behind.

Each probe sends a request that cannot change anything: it has another error, or asks for the existing state.
Kafka checks the permission first. So an authorization error means "not allowed", and the other error (or
success) means "allowed". Records are never written, offsets never committed, topics never created or removed.
This order of checks was tested with Apache Kafka 4.3.1 only: a broker that accepts acks=2, for example, would
write an empty record.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from confluent_kafka import (
    OFFSET_END,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from kafka_setup.check.expectations import REFUSALS
from kafka_setup.connection.session import QUIET_CLIENT, only
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection

# In seconds, of a request that may have to be sent again.
_LONGER_AND_LONGER = (3.0, 6.0, 12.0, 24.0, REQUEST_TIMEOUT)
_NO_PARTITION = 2**31 - 1
_NO_TIMEOUT = 2**31 - 1  # milliseconds; above any broker's transaction.max.timeout.ms
NO_ANSWER = "no answer"


@dataclass
class Login:
    """The open admin client of one user, and its connection for further clients."""

    admin: AdminClient
    connection: KafkaConnection

    @property
    def client(self) -> dict[str, Any]:
        return {**self.connection.client_settings(), **QUIET_CLIENT}

    @cached_property
    def writer(self) -> Producer:
        """One producer for all topics: a separate login for each would be most of the work of a check."""
        settings = {
            "acks": 2,
            "enable.idempotence": False,
            "retries": 0,
            "message.timeout.ms": int(REQUEST_TIMEOUT * 1000),
        }
        return Producer({**self.client, **settings})


def write_topic(login: Login, topic: str) -> str:
    """Send acks=2, an invalid value, which the broker checks after the permission."""
    answers: list[str] = []
    try:
        login.writer.produce(topic, b"", on_delivery=lambda error, _: answers.append(_code(error)))
    except KafkaException as refused:  # the client remembers the refusal of a topic
        return _code(refused.args[0])
    login.writer.flush(REQUEST_TIMEOUT)
    return answers[0] if answers else NO_ANSWER


def read_topic(login: Login, topic: str) -> str:
    """Fetch at the end of partition 0. The group only fills a required field: nothing is committed to it.

    The client does not report the refusal of a topic that it may not see.
    """
    if (hidden := describe_topic(login, topic)) == REFUSALS["topic"]:
        return hidden  # READ would include DESCRIBE
    settings = {"group.id": "-", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({**login.client, **settings})
    consumer.assign([TopicPartition(topic, 0, OFFSET_END)])
    try:
        return _first(consumer, lambda code: code != REFUSALS["group"])
    finally:
        consumer.close()


def read_group(login: Login, group: str, topic: str) -> str:
    """Commit an offset of a partition that cannot exist: the broker checks the group's permission first.

    The first group request to a new cluster creates its offsets topic. librdkafka then looks for the
    coordinator too early and never again, so a request without an answer is sent again.
    """
    offsets = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, _NO_PARTITION, 0)])

    def ask(seconds: float) -> str:
        answer = only(login.admin.alter_consumer_group_offsets([offsets], request_timeout=seconds))
        return _outcome(lambda: answer.result().topic_partitions[0].error)

    answers = map(ask, _LONGER_AND_LONGER)
    return next((code for code in answers if code != "_TIMED_OUT"), NO_ANSWER)


def write_transactional_id(login: Login, transactional_id: str) -> str:
    """Ask for a transaction timeout that no broker accepts: no producer id is given, no epoch is raised."""
    settings = {"transactional.id": transactional_id, "transaction.timeout.ms": _NO_TIMEOUT}
    producer = Producer({**login.client, **settings, "message.timeout.ms": int(REQUEST_TIMEOUT * 1000)})
    return _outcome(lambda: producer.init_transactions(REQUEST_TIMEOUT))


def describe_topic(login: Login, topic: str) -> str:
    return _outcome(lambda: login.admin.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic].error)


def create_topic(login: Login, topic: str) -> str:
    new = NewTopic(topic, num_partitions=1, replication_factor=-1)
    return _wait(login.admin.create_topics([new], validate_only=True, request_timeout=REQUEST_TIMEOUT))


def alter_topic(login: Login, topic: str) -> str:
    """Ask for one partition, which is never an increase; the broker refuses it after the permission check."""
    more = NewPartitions(topic, 1)
    return _wait(login.admin.create_partitions([more], validate_only=True, request_timeout=REQUEST_TIMEOUT))


def delete_topic(login: Login, topic: str) -> str:
    """Delete the records before offset 0, which needs the same permission and deletes none.

    Records of a compacted topic cannot be deleted; the broker says so after the permission check.
    """
    if (hidden := describe_topic(login, topic)) == REFUSALS["topic"]:
        return hidden  # as above; the client would look for the topic's leader first and not find it
    nothing = [TopicPartition(topic, 0, 0)]
    return _wait(login.admin.delete_records(nothing, request_timeout=REQUEST_TIMEOUT))


def describe_topic_configs(login: Login, topic: str) -> str:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    return _wait(login.admin.describe_configs([resource], request_timeout=REQUEST_TIMEOUT))


def alter_topic_configs(login: Login, topic: str) -> str:
    entry = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    return _wait(
        login.admin.incremental_alter_configs([resource], validate_only=True, request_timeout=REQUEST_TIMEOUT)
    )


def alter_cluster(login: Login, _name: str) -> str:
    """Delete the permissions of a principal that has none."""
    nobody = AclBindingFilter(
        ResourceType.TOPIC, "-", ResourcePatternType.LITERAL, "User:-", "-", AclOperation.READ,
        AclPermissionType.ALLOW,
    )  # fmt: skip
    return _wait(login.admin.delete_acls([nobody], request_timeout=REQUEST_TIMEOUT))


def describe_cluster(login: Login, _name: str) -> str:
    """Ask for the broker's list of this user's permissions. If the calls that need DESCRIBE on the cluster
    are refused, they return nothing or crash librdkafka 2.16 (see state.py).
    """
    answer = login.admin.describe_cluster(include_authorized_operations=True, request_timeout=REQUEST_TIMEOUT)
    allowed = answer.result().authorized_operations or []
    return "" if AclOperation.DESCRIBE in allowed else REFUSALS["cluster"]


def _first(consumer: Consumer, wanted: Callable[[str], bool]) -> str:
    """The first expected event of the consumer: the name of an error, or empty for a record."""
    deadline = time.monotonic() + REQUEST_TIMEOUT
    while time.monotonic() < deadline:
        message = consumer.poll(0.05)
        if message is not None and wanted(code := _code(message.error())):
            return code
    return NO_ANSWER


def _wait(futures: Any) -> str:
    return _outcome(only(futures).result)


def _outcome(call: Callable[[], Any]) -> str:
    """The name of the error that `call` raises or returns; empty if it succeeded."""
    try:
        answer = call()
    except KafkaException as error:
        return _code(error.args[0])
    return _code(answer) if hasattr(answer, "name") else ""


def _code(error: Any) -> str:
    return "" if error is None else str(error.name())


# (type of resource, operation) -> the probe, and the answers that show the permission was there.
PROBES: dict[tuple[str, str], tuple[Callable[[Login, str], str], frozenset[str]]] = {
    ("topic", "DESCRIBE"): (describe_topic, frozenset({""})),
    ("topic", "READ"): (read_topic, frozenset({"", "_PARTITION_EOF"})),
    ("topic", "WRITE"): (write_topic, frozenset({"INVALID_REQUIRED_ACKS"})),
    ("topic", "CREATE"): (create_topic, frozenset({"", "TOPIC_ALREADY_EXISTS"})),
    ("topic", "ALTER"): (alter_topic, frozenset({"", "INVALID_PARTITIONS"})),
    ("topic", "DELETE"): (delete_topic, frozenset({"", "POLICY_VIOLATION"})),
    ("topic", "DESCRIBE_CONFIGS"): (describe_topic_configs, frozenset({""})),
    ("topic", "ALTER_CONFIGS"): (alter_topic_configs, frozenset({""})),
    ("transactional_id", "WRITE"): (write_transactional_id, frozenset({"INVALID_TRANSACTION_TIMEOUT"})),
    ("cluster", "DESCRIBE"): (describe_cluster, frozenset({""})),
    ("cluster", "ALTER"): (alter_cluster, frozenset({""})),
}
GROUP_ALLOWED = frozenset({"UNKNOWN_TOPIC_OR_PART", "TOPIC_AUTHORIZATION_FAILED"})
