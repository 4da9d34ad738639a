"""One difference between a topology and a cluster, and the wishes of the caller. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kafka_setup.topology.resources import Acl, Topic, User

Identity = tuple[str, str, str]  # kind, name, key: the subject of a change, whatever its action


@dataclass(frozen=True)
class Change:
    """One comparison.

    `action`: create, change, exists, extra (in the cluster, not in the topology), remark (differs, which is
    allowed), blocked (only a person can do it; `detail` says how). `key` and `value`: of a topic setting.
    """

    action: str
    kind: str
    subject: Topic | User | Acl
    detail: str = ""
    key: str = ""
    value: str | None = None

    @property
    def name(self) -> str:
        if self.kind == "authorizer":  # its row stands for all permissions
            return "the cluster"
        return str(self.subject) if isinstance(self.subject, Acl) else self.subject.name

    @property
    def identity(self) -> Identity:
        return self.kind, self.name, self.key

    @property
    def pending(self) -> bool:
        return self.action in ("create", "change", "blocked")


@dataclass(frozen=True)
class Wishes:
    """The wishes of the caller beyond the topology.

    `login`: the user this tool is logged in as; its own credential is never touched.
    `known`: users whose password is known. `generate`: missing passwords can be made.
    """

    login: str | None = None
    known: Collection[str] = ()
    generate: bool = False
    reset_passwords: bool = False
