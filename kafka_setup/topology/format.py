"""The format of the topology file, which msgspec checks.

One class per kind of entry, with defaults and limits.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from kafka_setup.topology.resources import MAXIMUM_ITERATIONS, MINIMUM_ITERATIONS

Count = Annotated[int, Meta(ge=1)]
Iterations = Annotated[int, Meta(ge=MINIMUM_ITERATIONS, le=MAXIMUM_ITERATIONS)]
Text = Annotated[str, Meta(min_length=1)]
Names = Text | Annotated[list[Text], Meta(min_length=1)]
Scalar = str | int | float | bool
Role = Literal["events", "rejected"]
Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "none"]
Operation = Literal[
    "ALL", "ALTER", "ALTER_CONFIGS", "CLUSTER_ACTION", "CREATE", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS",
    "IDEMPOTENT_WRITE", "READ", "WRITE",
]  # fmt: skip


class TopologyFile(Struct, forbid_unknown_fields=True):
    topics: dict[Scalar, Any] | None = None
    users: dict[Scalar, Any] | None = None


class TopicEntry(Struct, forbid_unknown_fields=True):
    partitions: Count = 1
    replication_factor: Count | Literal["default"] = "default"
    config: dict[str, Scalar | list[Scalar] | None] | None = None
    role: Role | None = None


class RuleEntry(Struct, forbid_unknown_fields=True):
    SELECTORS: ClassVar = (
        "cluster", "group", "group_prefix", "topic", "topic_prefix", "transactional_id",
        "transactional_id_prefix",
    )  # fmt: skip

    operations: Annotated[list[Operation], Meta(min_length=1)]
    host: Text = "*"
    cluster: Literal[True] | None = None
    group: Names | None = None
    group_prefix: Names | None = None
    topic: Names | None = None
    topic_prefix: Names | None = None
    transactional_id: Names | None = None
    transactional_id_prefix: Names | None = None


class UserEntry(Struct, forbid_unknown_fields=True):
    purpose: str = ""
    mechanism: Mechanism | None = None
    iterations: Iterations = MINIMUM_ITERATIONS
    password_variable: str | None = None
    allow: list[RuleEntry] | None = None
