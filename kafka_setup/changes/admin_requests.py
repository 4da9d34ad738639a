"""The requests that change the cluster; every function returns futures of the answers."""

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
from kafka_setup.connection.session import only
from kafka_setup.connection.settings import REQUEST_TIMEOUT, Secret
from kafka_setup.topology.acls import acl_binding, acl_filter
from kafka_setup.topology.resources import Acl, Topic, User


def request_all(
    admin: AdminClient, changes: Mapping[int, Change], passwords: Mapping[str, Secret]
) -> dict[int, Future[Any]]:
    """Index -> future; all requests are sent at once. "extra" permissions are removed."""
    extra = {index: change.subject for index, change in changes.items() if change.action == "extra"}
    futures = request_removals(admin, extra)
    allowed = {}
    for index, change in changes.items():
        subject = change.subject
        if index in extra:
            continue
        if isinstance(subject, Acl):
            allowed[index] = acl_binding(subject)
        elif isinstance(subject, User):
            futures[index] = set_password(admin, subject, passwords[subject.name])
        else:
            futures[index] = _TOPIC_REQUESTS[change.kind](admin, subject, change, validate_only=False)
    return futures | _at_once(admin.create_acls, allowed)


def request_trial(admin: AdminClient, changes: Mapping[int, Change]) -> dict[int, Future[Any]]:
    """Index -> future: the broker checks these changes of topics without making them."""
    return {
        index: _TOPIC_REQUESTS[change.kind](admin, change.subject, change, validate_only=True)
        for index, change in changes.items()
        if isinstance(change.subject, Topic)
    }


def request_removals(
    admin: AdminClient, subjects: Mapping[int, Topic | User | Acl]
) -> dict[int, Future[Any]]:
    futures, forbidden = {}, {}
    for index, subject in subjects.items():
        if isinstance(subject, Acl):
            forbidden[index] = acl_filter(subject)
        elif isinstance(subject, User):
            deletion = UserScramCredentialDeletion(subject.name, _mechanism(subject))
            futures[index] = only(
                admin.alter_user_scram_credentials([deletion], request_timeout=REQUEST_TIMEOUT)
            )
        else:
            futures[index] = only(admin.delete_topics([subject.name], request_timeout=REQUEST_TIMEOUT))
    return futures | _at_once(admin.delete_acls, forbidden)


def _at_once(
    ask: Callable[..., Mapping[Any, Future[Any]]], wanted: Mapping[int, Any]
) -> dict[int, Future[Any]]:
    """Send all permissions in one request, because the cluster writes each request to its log first."""
    answers = ask(list(wanted.values()), request_timeout=REQUEST_TIMEOUT) if wanted else {}
    return {index: answers[each] for index, each in wanted.items()}


def set_password(admin: AdminClient, user: User, password: Secret) -> Future[Any]:
    credential = ScramCredentialInfo(_mechanism(user), user.iterations)
    upsertion = UserScramCredentialUpsertion(user.name, credential, password.encode())
    return only(admin.alter_user_scram_credentials([upsertion], request_timeout=REQUEST_TIMEOUT))


def _mechanism(user: User) -> ScramMechanism:
    return ScramMechanism[user.mechanism.replace("-", "_")]


def _create_topic(admin: AdminClient, topic: Topic, _change: Change, validate_only: bool) -> Future[Any]:
    new = NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication_factor or -1,  # -1: the broker's default
        config={key: value for key, value in topic.config.items() if value is not None},
    )
    return only(admin.create_topics([new], request_timeout=REQUEST_TIMEOUT, validate_only=validate_only))


def _add_partitions(admin: AdminClient, topic: Topic, _change: Change, validate_only: bool) -> Future[Any]:
    more = [NewPartitions(topic.name, topic.partitions)]
    return only(admin.create_partitions(more, request_timeout=REQUEST_TIMEOUT, validate_only=validate_only))


def _alter_setting(admin: AdminClient, topic: Topic, change: Change, validate_only: bool) -> Future[Any]:
    operation = AlterConfigOpType.DELETE if change.value is None else AlterConfigOpType.SET
    entry = ConfigEntry(change.key, change.value or "", incremental_operation=operation)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name, incremental_configs=[entry])
    return only(
        admin.incremental_alter_configs(
            [resource], request_timeout=REQUEST_TIMEOUT, validate_only=validate_only
        )
    )


_TOPIC_REQUESTS: dict[str, Callable[..., Future[Any]]] = {
    "topic": _create_topic,
    "partitions": _add_partitions,
    "setting": _alter_setting,
}
