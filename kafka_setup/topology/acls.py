"""Converts permissions to the types of Kafka's client, and back."""

from __future__ import annotations

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from kafka_setup.connection.settings import REQUEST_TIMEOUT
from kafka_setup.topology.resources import CLUSTER_NAME, Acl

# In Kafka's authorizer, the cluster is a resource type; librdkafka calls it BROKER.
_RESOURCE_TYPES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}
_RESOURCE_NAMES = {kind: name for name, kind in _RESOURCE_TYPES.items()}


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
    """A filter that matches exactly this permission."""
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


def read_acls(admin: AdminClient, principal: str) -> tuple[set[Acl], set[Acl]]:
    """Every ALLOW and every DENY rule of exactly this principal. Raises KafkaException."""
    everything = AclBindingFilter(
        ResourceType.ANY,
        None,
        ResourcePatternType.ANY,
        principal,
        None,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    allowed: set[Acl] = set()
    denied: set[Acl] = set()
    for binding in admin.describe_acls(everything, request_timeout=REQUEST_TIMEOUT).result():
        (denied if binding.permission_type == AclPermissionType.DENY else allowed).add(_acl(binding))
    return allowed, denied


def _acl(binding: AclBinding) -> Acl:
    return Acl(
        principal=binding.principal,
        resource_type=_RESOURCE_NAMES.get(binding.restype, binding.restype.name.lower()),
        pattern=binding.resource_pattern_type.name.lower(),
        name=CLUSTER_NAME if binding.restype == ResourceType.BROKER else binding.name,
        operation=binding.operation.name,
        host=binding.host,
    )
