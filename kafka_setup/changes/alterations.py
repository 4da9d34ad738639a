"""One change, one request to the cluster; every function returns the future of its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from kafka_setup.changes.change import Change
from kafka_setup.connection.session import REQUEST_TIMEOUT, only
from kafka_setup.connection.settings import Secret
from kafka_setup.topology.acls import acl_binding, acl_filter
from kafka_setup.topology.resources import Acl, Topic, User


def request_removal(admin: AdminClient, subject: Topic | User | Acl) -> Future[Any]:
    if isinstance(subject, Acl):
        return only(admin.delete_acls([acl_filter(subject)], request_timeout=REQUEST_TIMEOUT))
    if isinstance(subject, User):
        deletion = UserScramCredentialDeletion(subject.name, _mechanism(subject))
        return only(admin.alter_user_scram_credentials([deletion], request_timeout=REQUEST_TIMEOUT))
    return only(admin.delete_topics([subject.name], request_timeout=REQUEST_TIMEOUT))


def request(admin: AdminClient, change: Change, passwords: Mapping[str, Secret]) -> Future[Any]:
    subject = change.subject
    if change.action == "extra":
        return request_removal(admin, subject)
    if isinstance(subject, Acl):
        return only(admin.create_acls([acl_binding(subject)], request_timeout=REQUEST_TIMEOUT))
    if isinstance(subject, User):
        return set_password(admin, subject, passwords[subject.name])
    return _TOPIC_REQUESTS[change.kind](admin, subject, change)


def set_password(admin: AdminClient, user: User, password: Secret) -> Future[Any]:
    credential = ScramCredentialInfo(_mechanism(user), user.iterations)
    upsertion = UserScramCredentialUpsertion(user.name, credential, password.encode())
    return only(admin.alter_user_scram_credentials([upsertion], request_timeout=REQUEST_TIMEOUT))


def _mechanism(user: User) -> ScramMechanism:
    return ScramMechanism[user.mechanism.replace("-", "_")]


def _create_topic(admin: AdminClient, topic: Topic, _change: Change) -> Future[Any]:
    new = NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication_factor or -1,  # -1: the broker's default
        config={key: value for key, value in topic.config.items() if value is not None},
    )
    return only(admin.create_topics([new], request_timeout=REQUEST_TIMEOUT))


def _add_partitions(admin: AdminClient, topic: Topic, _change: Change) -> Future[Any]:
    return only(
        admin.create_partitions(
            [NewPartitions(topic.name, topic.partitions)], request_timeout=REQUEST_TIMEOUT
        )
    )


def _alter_setting(admin: AdminClient, topic: Topic, change: Change) -> Future[Any]:
    operation = AlterConfigOpType.DELETE if change.value is None else AlterConfigOpType.SET
    entry = ConfigEntry(change.key, change.value or "", incremental_operation=operation)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name, incremental_configs=[entry])
    return only(admin.incremental_alter_configs([resource], request_timeout=REQUEST_TIMEOUT))


_TOPIC_REQUESTS: dict[str, Callable[[AdminClient, Topic, Change], Future[Any]]] = {
    "topic": _create_topic,
    "partitions": _add_partitions,
    "setting": _alter_setting,
}
