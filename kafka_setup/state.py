"""Reads what the cluster has, as far as a topology names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    ResourcePatternType,
    ResourceType,
)

from kafka_setup.connection import KafkaConnection, Secret
from kafka_setup.resources import CLUSTER_NAME, Acl, ClusterState, TopicState, Topology, User
from kafka_setup.session import LoginRefusedError, connect

REQUEST_TIMEOUT = 20.0  # seconds an admin request may take

# Kafka's authorizer calls the cluster a resource type of its own; librdkafka calls it BROKER.
_RESOURCE_TYPES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}
_RESOURCE_NAMES = {kind: name for name, kind in _RESOURCE_TYPES.items()}


def read_state(admin: AdminClient, topology: Topology) -> ClusterState:
    """Raises KafkaException when a request fails as a whole (no permission, no broker)."""
    return ClusterState(
        topics=_topics(admin, [topic.name for topic in topology.topics]),
        credentials=_credentials(admin, [user.name for user in topology.users]),
        acls=frozenset(acl for user in topology.users for acl in read_acls(admin, user.principal)),
    )


def with_logins(
    state: ClusterState, users: Iterable[User], passwords: Mapping[str, Secret], connection: KafkaConnection
) -> ClusterState:
    """`state` with what happens when every existing user logs in with the password we know."""
    if not connection.uses_sasl:
        return state
    trying = [
        user
        for user in users
        if user.name in passwords and user.mechanism in state.credentials.get(user.name, {})
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        right = pool.map(lambda user: logs_in(connection, user, passwords[user.name]), trying)
        return replace(state, logins=dict(zip((user.name for user in trying), right, strict=True)))


def as_user(connection: KafkaConnection, user: User, password: Secret) -> KafkaConnection:
    """The same cluster, logged in as `user`."""
    return replace(connection, username=user.name, password=password, sasl_mechanism=user.mechanism)


def logs_in(connection: KafkaConnection, user: User, password: Secret) -> bool:
    """Raises NotReadyError when the broker gives no answer."""
    try:
        connect(as_user(connection, user, password))
    except LoginRefusedError:
        return False
    return True


def acl_binding(acl: Acl) -> AclBinding:
    return AclBinding(
        _RESOURCE_TYPES[acl.resource_type],
        acl.name,
        ResourcePatternType[acl.pattern.upper()],
        acl.principal,
        acl.host,
        AclOperation[acl.operation],
        AclPermissionType.ALLOW,
    )


def acl_filter(acl: Acl) -> AclBindingFilter:
    """Matches exactly this permission."""
    binding = acl_binding(acl)
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def read_acls(admin: AdminClient, principal: str) -> list[Acl]:
    """Every permission the cluster grants to exactly this principal."""
    everything = AclBindingFilter(
        ResourceType.ANY,
        None,
        ResourcePatternType.ANY,
        principal,
        None,
        AclOperation.ANY,
        AclPermissionType.ALLOW,
    )
    found = admin.describe_acls(everything, request_timeout=REQUEST_TIMEOUT).result()
    return [
        Acl(
            principal=binding.principal,
            resource_type=_RESOURCE_NAMES.get(binding.restype, binding.restype.name.lower()),
            pattern=binding.resource_pattern_type.name.lower(),
            name=CLUSTER_NAME if binding.restype == ResourceType.BROKER else binding.name,
            operation=binding.operation.name,
            host=binding.host,
        )
        for binding in found
    ]


def _topics(admin: AdminClient, names: list[str]) -> dict[str, TopicState]:
    if not names:
        return {}
    described = admin.describe_topics(TopicCollection(names), request_timeout=REQUEST_TIMEOUT)
    found = {}
    for name, future in described.items():
        try:
            found[name] = future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
    configs = _topic_configs(admin, list(found))
    return {
        name: TopicState(
            partitions=len(topic.partitions),
            replication_factor=min((len(part.replicas) for part in topic.partitions), default=0),
            config={key: entry.value for key, entry in configs[name].items() if entry.value is not None},
            overrides=frozenset(key for key, entry in configs[name].items() if _is_override(entry)),
        )
        for name, topic in found.items()
    }


def _is_override(entry: ConfigEntry) -> bool:
    return bool(entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value)


def _topic_configs(admin: AdminClient, names: list[str]) -> dict[str, dict[str, ConfigEntry]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    answers = admin.describe_configs(resources, request_timeout=REQUEST_TIMEOUT)
    return {resource.name: future.result() for resource, future in answers.items()}


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
