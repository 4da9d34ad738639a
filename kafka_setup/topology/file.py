"""Reads the topology file. Parsing is pure; only `load_topology` opens a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from kafka_setup.connection.security import DEFAULT_MECHANISM
from kafka_setup.defaults import EVENTS_TOPIC, REJECTED_TOPIC
from kafka_setup.topology import format as entries
from kafka_setup.topology.resources import (
    CLUSTER_NAME,
    EVENTS,
    NO_CREDENTIAL,
    REJECTED,
    Acl,
    Topic,
    Topology,
    User,
)
from kafka_setup.topology.validation import Document
from kafka_setup.topology.validation import TopologyError as TopologyError  # imported from here by callers

_SHIPPED = "topology.yaml"
_ROLES = {EVENTS_TOPIC: EVENTS, REJECTED_TOPIC: REJECTED}  # for topics that do not set it
_CHOICES = {
    "cluster": ("true",),
    "mechanism": get_args(entries.Mechanism),
    "operations": get_args(entries.Operation),
    "replication_factor": ("default", "a whole number from 1"),
    "role": get_args(entries.Role),
}
_TOPIC_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DISTINGUISHED_NAME = re.compile(r"(?:[A-Za-z]+|[\d.]+)=")  # as in a certificate: CN=bridge,O=Example


def default_topology_text() -> str:
    """The documented file that comes with the tool."""
    return resources.files("kafka_setup.topology").joinpath(_SHIPPED).read_text(encoding="utf-8")


def renamed_topics(text: str, names: Mapping[str, str]) -> str:
    """The text of a topology with topics renamed (old -> new), wherever YAML has the name."""
    old = "|".join(map(re.escape, names))
    return re.sub(rf"(?<![\w.-])({old})(?=[:,}}\]])", lambda found: names[found[1]], text)


def load_topology(path: Path | None = None) -> Topology:
    """The topology in `path`, or the one that comes with the tool. Raises TopologyError."""
    if path is None:
        return parse_topology(default_topology_text())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TopologyError(f"{path}: {error}") from error
    return parse_topology(text, str(path))


def parse_topology(text: str, origin: str = _SHIPPED) -> Topology:
    """The topology in a text; `origin` is the name of the file for messages. Raises TopologyError."""
    return _Reader(Document(text, origin, _CHOICES)).topology()


class _Reader:
    """Turns the entries of the file into the values that the rest of the tool uses."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._take, self._fail = document.take, document.fail

    def topology(self) -> Topology:
        file = self._take(self._document.content, entries.TopologyFile, "")
        topics = [self._topic(str(name), value) for name, value in (file.topics or {}).items()]
        users: list[User] = []
        for name, value in (file.users or {}).items():
            users.append(self._user(str(name), value, users))
        return Topology(tuple(topics), tuple(users))

    def _topic(self, name: str, value: Any) -> Topic:
        place = f".topics.{name}"
        entry = self._take(value, entries.TopicEntry, place)
        if not _TOPIC_NAME.fullmatch(name):
            self._fail(place, "a topic's name has at most 249 letters, digits, dots, _ and -")
        return Topic(
            name=name,
            partitions=entry.partitions,
            replication_factor=None if entry.replication_factor == "default" else entry.replication_factor,
            config={key: _setting(setting) for key, setting in (entry.config or {}).items()},
            role=entry.role or _ROLES.get(name, ""),
        )

    def _user(self, name: str, value: Any, others: list[User]) -> User:
        place = f".users.{name}"
        entry = self._take(value, entries.UserEntry, place)
        by_certificate = _DISTINGUISHED_NAME.match(name)
        mechanism = entry.mechanism or (NO_CREDENTIAL if by_certificate else DEFAULT_MECHANISM)
        if mechanism != NO_CREDENTIAL and not name.isascii():
            self._fail(place, f"{name} could never log in: Kafka's SCRAM takes user names in ASCII alone")
        acls = [
            acl
            for index, rule in enumerate(entry.allow or [])
            for acl in self._acls(name, rule, f"{place}.allow[{index}]")
        ]
        variable = self._variable(name, entry.password_variable, place, others)
        return User(name, variable, tuple(acls), entry.purpose, mechanism, entry.iterations)

    def _variable(self, name: str, given: str | None, place: str, others: list[User]) -> str:
        variable = given or f"{name.upper().replace('-', '_')}_PASSWORD"
        if not _VARIABLE.fullmatch(variable):
            if given:
                self._fail(place, f"no shell variable can be called {given}", ".password_variable")
            return ""
        same = [user.name for user in others if user.password_variable == variable]
        if same and not given:  # two names that differ only in - and _
            self._fail(place, f"{same[0]} has the variable {variable}, too: give one a password_variable")
        return variable

    def _acls(self, user: str, rule: entries.RuleEntry, place: str) -> list[Acl]:
        chosen = {name: names for name in rule.SELECTORS if (names := getattr(rule, name)) is not None}
        if len(chosen) != 1:
            self._fail(place, f"expected exactly one of {', '.join(rule.SELECTORS)}")
        ((selector, names),) = chosen.items()
        return [
            Acl(
                principal=f"User:{user}",
                resource_type=selector.removesuffix("_prefix"),
                pattern="prefixed" if selector.endswith("_prefix") else "literal",
                name=CLUSTER_NAME if selector == "cluster" else name,
                operation=operation,
                host=rule.host,
            )
            for name in (names if isinstance(names, list) else [names])
            for operation in rule.operations
        ]


def _setting(value: Any) -> str | None:
    """The value as text for Kafka's configuration."""
    if value is None:
        return None
    if isinstance(value, list):
        return ",".join(str(_setting(item)) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
