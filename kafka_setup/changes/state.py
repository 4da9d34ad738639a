"""Reads the state of the cluster, as far as a topology names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient, ConfigEntry, ConfigResource, ConfigSource

from kafka_setup.connection.passwords import new_password
from kafka_setup.connection.security import SCRAM_HASHES
from kafka_setup.connection.session import (
    LoginRefusedError,
    MechanismRefusedError,
    connect,
    only,
    that_exist,
)
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection, Secret
from kafka_setup.topology.acls import read_acls
from kafka_setup.topology.resources import Acl, ClusterState, TopicState, Topology, User

EVERYBODY = "User:*"


class NotAllowedError(Exception):
    """This login cannot do the work; the text says which permission is missing."""


def read_state(admin: AdminClient, topology: Topology) -> ClusterState:
    """The state of the cluster. Raises NotAllowedError if this login may not see it, or KafkaException."""
    brokers = _require_describe(admin)
    settings = _broker_settings(admin, brokers[0])
    allowed, denied = _acls(admin, [user.principal for user in topology.users])
    return ClusterState(
        topics=_topics(admin, [topic.name for topic in topology.topics]),
        credentials=_credentials(admin, [user.name for user in topology.users]),
        acls=allowed,
        denied=denied,
        topic_names=frozenset(admin.list_topics(timeout=REQUEST_TIMEOUT).topics),
        brokers=len(brokers),
        has_authorizer=_has_authorizer(settings),
        defaults={name: value for name, value in (settings or {}).items() if value is not None},
    )


def _acls(admin: AdminClient, principals: list[str]) -> tuple[frozenset[Acl], frozenset[Acl]]:
    """The ALLOW rules of these principals, and the DENY rules of these and of everyone."""
    found = [read_acls(admin, principal) for principal in (*principals, EVERYBODY)]
    return (
        frozenset(acl for allowed, _ in found for acl in allowed if acl.principal != EVERYBODY),
        frozenset(acl for _, denied in found for acl in denied),
    )


def _broker_settings(admin: AdminClient, broker: int) -> dict[str, str | None] | None:
    """The broker's settings; None if this login may not see them."""
    resource = ConfigResource(ConfigResource.Type.BROKER, str(broker))
    try:
        settings = only(admin.describe_configs([resource], request_timeout=REQUEST_TIMEOUT)).result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.CLUSTER_AUTHORIZATION_FAILED:
            raise
        return None
    return {name: entry.value for name, entry in settings.items()}


def _has_authorizer(settings: Mapping[str, str | None] | None) -> bool:
    """Whether the cluster has an authorizer, by its setting; if the request was refused, it must have one.

    Without an authorizer, librdkafka 2.16 shows no ACLs and no error.
    """
    return settings is None or bool(settings.get("authorizer.class.name", "not named"))


def _require_describe(admin: AdminClient) -> list[int]:
    """The ids of the brokers.

    Called before other requests: without the permission, librdkafka 2.16 shows no ACLs and no error, and its
    DescribeUserScramCredentials corrupts the heap (seen here as "munmap_chunk(): invalid pointer").
    """
    cluster = admin.describe_cluster(
        include_authorized_operations=True, request_timeout=REQUEST_TIMEOUT
    ).result()
    allowed = cluster.authorized_operations or []
    if AclOperation.DESCRIBE not in allowed:
        raise NotAllowedError(
            "this login may not see users and permissions (DESCRIBE on the cluster): "
            "set KAFKA_USERNAME and KAFKA_PASSWORD to an administrator's"
        )
    return [node.id for node in cluster.nodes]


def with_logins(
    state: ClusterState, users: Iterable[User], passwords: Mapping[str, Secret], connection: KafkaConnection
) -> ClusterState:
    """`state` with the result of a login of every existing user with the known password.

    It also has the mechanisms of these users that the listener does not offer.
    """
    if not connection.uses_sasl:
        return state
    wanted = {user.mechanism for user in users if user.mechanism in SCRAM_HASHES}
    refused = _refused_mechanisms(connection, wanted - {connection.sasl_mechanism})
    trying = [
        user
        for user in users
        if user.name in passwords
        and user.mechanism in state.credentials.get(user.name, {})
        and user.mechanism not in refused
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        right = pool.map(lambda user: logs_in(connection, user, passwords[user.name]), trying)
        logins = dict(zip((user.name for user in trying), right, strict=True))
    return replace(state, logins=logins, refused_mechanisms=refused)


def _refused_mechanisms(connection: KafkaConnection, mechanisms: Iterable[str]) -> dict[str, str]:
    """Mechanisms that the listener does not offer -> those that it does.

    Tested by a login that cannot succeed.
    """
    refused = {}
    for mechanism in mechanisms:
        try:
            connect(replace(connection, sasl_mechanism=mechanism, username="-", password=new_password()))
        except MechanismRefusedError as error:
            refused[mechanism] = error.offered
        except LoginRefusedError:
            continue  # it offers the mechanism and refused the password
    return refused


def as_user(connection: KafkaConnection, user: User, password: Secret) -> KafkaConnection:
    """The same cluster, logged in as `user`."""
    return replace(connection, username=user.name, password=password, sasl_mechanism=user.mechanism)


def logs_in(connection: KafkaConnection, user: User, password: Secret) -> bool:
    """Whether the user can log in. Raises NotReadyError if the broker does not answer."""
    try:
        connect(as_user(connection, user, password))
    except LoginRefusedError:
        return False
    return True


def _topics(admin: AdminClient, names: list[str]) -> dict[str, TopicState]:
    if not names:
        return {}
    described = admin.describe_topics(TopicCollection(names), request_timeout=REQUEST_TIMEOUT)
    found = that_exist(described)
    configs = _topic_configs(admin, list(found))
    return {
        name: TopicState(
            partitions=len(topic.partitions),
            replication_factor=min((len(part.replicas) for part in topic.partitions), default=0),
            config={key: entry.value for key, entry in configs[name].items() if entry.value is not None},
            overrides=frozenset(key for key, entry in configs[name].items() if _is_override(entry)),
        )
        for name, topic in found.items()
        if name in configs
    }


def _is_override(entry: ConfigEntry) -> bool:
    return bool(entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value)


def _topic_configs(admin: AdminClient, names: list[str]) -> dict[str, dict[str, ConfigEntry]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    answers = admin.describe_configs(resources, request_timeout=REQUEST_TIMEOUT)
    return that_exist({resource.name: future for resource, future in answers.items()})


def _credentials(admin: AdminClient, names: list[str]) -> dict[str, dict[str, int]]:
    if not names:
        return {}
    found: dict[str, dict[str, int]] = {}
    answers = admin.describe_user_scram_credentials(names, request_timeout=REQUEST_TIMEOUT)
    for name, future in answers.items():
        try:
            infos = future.result().scram_credential_infos
        except KafkaException as error:
            if error.args[0].code() != KafkaError.RESOURCE_NOT_FOUND:
                raise
            continue
        found[name] = {info.mechanism.name.replace("_", "-"): info.iterations for info in infos}
    return found
