"""What `check` expects, derived from the topology the way Kafka's authorizer decides."""

from __future__ import annotations

import pytest

from kafka_setup.check.expectations import OPERATIONS, allows, expectations
from kafka_setup.check.probes import PROBES
from kafka_setup.topology.file import load_topology
from kafka_setup.topology.resources import CLUSTER_NAME, Acl


@pytest.mark.parametrize(
    ("granted", "asked", "answer"),
    [
        (("topic", "literal", "t", "READ"), ("topic", "t", "READ"), True),
        (("topic", "literal", "t", "READ"), ("topic", "t", "DESCRIBE"), True),
        (("topic", "literal", "t", "READ"), ("topic", "t", "WRITE"), False),
        (("topic", "literal", "t", "READ"), ("topic", "t2", "READ"), False),
        (("topic", "literal", "*", "READ"), ("topic", "t2", "READ"), True),
        (("topic", "prefixed", "t", "ALL"), ("topic", "t2", "DELETE"), True),
        (("topic", "literal", "t", "ALTER_CONFIGS"), ("topic", "t", "DESCRIBE_CONFIGS"), True),
        (("topic", "literal", "t", "ALTER_CONFIGS"), ("topic", "t", "DESCRIBE"), False),
        (("group", "prefixed", "g-", "READ"), ("topic", "g-1", "READ"), False),
        (("cluster", "literal", CLUSTER_NAME, "CREATE"), ("topic", "any", "CREATE"), True),
        (("cluster", "literal", CLUSTER_NAME, "ALTER"), ("cluster", CLUSTER_NAME, "DESCRIBE"), True),
    ],
)
def test_allows(granted: tuple[str, str, str, str], asked: tuple[str, str, str], answer: bool) -> None:
    assert allows([Acl("User:u", *granted)], *asked) is answer


def test_every_operation_has_a_probe() -> None:
    wanted = {(kind, operation) for kind, operations in OPERATIONS.items() for operation in operations}
    assert wanted - {("group", "READ")} == set(PROBES)


def test_each_role_is_tried_on_its_own_and_on_foreign_resources() -> None:
    topology = load_topology()
    tried = {str(e): e for e in expectations(topology, topology.user("bridge"), "check-1")}
    assert tried["bridge WRITE topic events_processed"].allowed
    assert not tried["bridge READ topic events_processed"].allowed
    assert not tried["bridge CREATE topic check-1"].allowed
    assert not tried["bridge READ group win-event-check-1"].allowed
    assert not tried["bridge READ group check-1"].allowed
    assert tried["bridge WRITE transactional_id win-event-bridgecheck-1"].allowed
    assert not tried["bridge WRITE transactional_id check-1"].allowed
    assert not tried["bridge ALTER cluster"].allowed
    assert tried["bridge ALTER cluster"].refusal == "CLUSTER_AUTHORIZATION_FAILED"
