"""The first rows of the inventory: the computers and people of the generator. Pure."""

from __future__ import annotations

from typing import NamedTuple

from producer.events.hosts import Host, make_hosts

SITES = ("Tokyo", "Osaka", "Berlin", "Lisbon")
DEPARTMENTS = ("Finance", "Research", "Production", "Sales", "Administration")
CRITICALITY = {"domain-controller": "critical", "server": "high", "workstation": "low"}
SINCE_EVER = "1970-01-01T00:00:00Z"  # the first rows are valid from the beginning of time
PRIVILEGED_EVERY = 10  # one of so many accounts is privileged, beginning with the first


class Computer(NamedTuple):
    name: str
    role: str
    site: str
    owner: str
    criticality: str


class Account(NamedTuple):
    name: str
    department: str
    privileged: bool


def computers(hosts: list[Host]) -> list[Computer]:
    """The rows of computers; the owner of each is the first of its users."""
    return [
        Computer(
            host.name,
            host.role,
            SITES[host.index % len(SITES)],
            host.users[0].values["name"],
            CRITICALITY[host.role],
        )
        for host in hosts
    ]


def accounts(hosts: list[Host]) -> list[Account]:
    """The users of these computers, in the order of their names."""
    people = {user.values["name"]: user.index for host in hosts for user in host.users}
    return sorted(
        Account(name, DEPARTMENTS[index % len(DEPARTMENTS)], index % PRIVILEGED_EVERY == 0)
        for name, index in people.items()
    )


def hosts_of(seed: int, number: int) -> list[Host]:
    """The computers of win-event-producer --seed SEED --hosts NUMBER."""
    return make_hosts(number, "mixed", 1, seed)
