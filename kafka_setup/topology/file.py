"""Reads the topology file. Parsing is pure; only `load_topology` opens a file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from kafka_setup.topology.resources import (
    CLUSTER_NAME,
    MAXIMUM_ITERATIONS,
    MINIMUM_ITERATIONS,
    SCRAM_MECHANISMS,
    Acl,
    Topic,
    Topology,
    User,
)

RESOURCE_TYPES = ("topic", "group", "transactional_id")
OPERATIONS = (
    "ALL",
    "ALTER",
    "ALTER_CONFIGS",
    "CLUSTER_ACTION",
    "CREATE",
    "DELETE",
    "DESCRIBE",
    "DESCRIBE_CONFIGS",
    "IDEMPOTENT_WRITE",
    "READ",
    "WRITE",
)


class TopologyError(ValueError):
    """The file cannot be used; the text names the place in it and what is expected there."""


def default_topology_text() -> str:
    """The documented file that comes with the tool."""
    return resources.files("kafka_setup.topology").joinpath("topology.yaml").read_text(encoding="utf-8")


def load_topology(path: Path | None = None) -> Topology:
    """The topology in `path`, or the one that comes with the tool. Raises TopologyError."""
    if path is None:
        return parse_topology(default_topology_text())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TopologyError(f"{path}: {error}") from error
    try:
        return parse_topology(text)
    except TopologyError as error:
        raise TopologyError(f"{path}: {error}") from error


def parse_topology(text: str) -> Topology:
    """Raises TopologyError."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TopologyError(f"not YAML: {error}") from error
    root = _mapping(document, "the file", {"topics", "users"})
    topics = _mapping(root.get("topics") or {}, "topics")
    users = _mapping(root.get("users") or {}, "users")
    return Topology(
        topics=tuple(_topic(str(name), fields) for name, fields in topics.items()),
        users=tuple(_user(str(name), fields) for name, fields in users.items()),
    )


def _topic(name: str, value: Any) -> Topic:
    place = f"topics.{name}"
    fields = _mapping(value, place, {"partitions", "replication_factor", "config"})
    replication = fields.get("replication_factor", "default")
    config = _mapping(fields.get("config") or {}, f"{place}.config")
    return Topic(
        name=name,
        partitions=_count(fields.get("partitions", 1), f"{place}.partitions"),
        replication_factor=None
        if replication == "default"
        else _count(replication, f"{place}.replication_factor"),
        config={str(key): _setting(setting) for key, setting in config.items()},
    )


def _user(name: str, value: Any) -> User:
    place = f"users.{name}"
    known = {"purpose", "mechanism", "iterations", "password_variable", "allow"}
    fields = _mapping(value, place, known)
    mechanism = fields.get("mechanism", "SCRAM-SHA-512")
    if mechanism not in SCRAM_MECHANISMS:
        raise TopologyError(
            f"{place}.mechanism: {mechanism!r}, expected one of {', '.join(SCRAM_MECHANISMS)}"
        )
    iterations = _count(fields.get("iterations", MINIMUM_ITERATIONS), f"{place}.iterations")
    if not MINIMUM_ITERATIONS <= iterations <= MAXIMUM_ITERATIONS:
        raise TopologyError(
            f"{place}.iterations: {iterations}, expected {MINIMUM_ITERATIONS} to {MAXIMUM_ITERATIONS}"
        )
    variable = fields.get("password_variable") or f"{name.upper().replace('-', '_')}_PASSWORD"
    rules = fields.get("allow") or []
    if not isinstance(rules, list):
        raise TopologyError(f"{place}.allow: expected a list")
    acls = [acl for index, rule in enumerate(rules) for acl in _acls(name, rule, f"{place}.allow[{index}]")]
    return User(name, str(variable), tuple(acls), str(fields.get("purpose", "")), mechanism, iterations)


def _acls(user: str, value: Any, place: str) -> list[Acl]:
    selectors = {kind + suffix for kind in RESOURCE_TYPES for suffix in ("", "_prefix")} | {"cluster"}
    rule = _mapping(value, place, selectors | {"operations", "host"})
    chosen = sorted(selectors & rule.keys())
    if len(chosen) != 1:
        raise TopologyError(f"{place}: expected exactly one of {', '.join(sorted(selectors))}")
    selector = chosen[0]
    operations = rule.get("operations")
    if not isinstance(operations, list) or not operations:
        raise TopologyError(f"{place}.operations: expected a list such as [READ]")
    for operation in operations:
        if operation not in OPERATIONS:
            raise TopologyError(f"{place}.operations: {operation!r}, expected one of {', '.join(OPERATIONS)}")
    prefixed = selector.endswith("_prefix")
    return [
        Acl(
            principal=f"User:{user}",
            resource_type=selector.removesuffix("_prefix"),
            pattern="prefixed" if prefixed else "literal",
            name=name,
            operation=operation,
            host=str(rule.get("host", "*")),
        )
        for name in _names(rule, selector, place)
        for operation in operations
    ]


def _names(rule: Mapping[str, Any], selector: str, place: str) -> list[str]:
    """The resources of a rule: one name, or a list of them."""
    if selector == "cluster":
        return [CLUSTER_NAME]
    value = rule[selector]
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise TopologyError(f"{place}.{selector}: {value!r}, expected a name or a list of names")
    return names


def _mapping(value: Any, place: str, known: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TopologyError(f"{place}: expected keys with values, not {value!r}")
    unknown = sorted(str(key) for key in value if known is not None and key not in known)
    if unknown:
        expected = ", ".join(sorted(known or ()))
        raise TopologyError(f"{place}: unknown key {unknown[0]!r}, expected one of {expected}")
    return value


def _count(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TopologyError(f"{place}: {value!r}, expected a whole number from 1")
    return value


def _setting(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
