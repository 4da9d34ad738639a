"""The inventory begins with the computers and people that the events of the same seed are about."""

from __future__ import annotations

import json

import pytest

from local_stack.cdc import inventory
from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings


@pytest.mark.parametrize(("seed", "number"), [(1, 10), (7, 3)])
def test_every_computer_that_writes_events_is_in_it(seed: int, number: int) -> None:
    events = Generator(GeneratorSettings(seed=seed, hosts=number)).take(2_000).events()
    names = {row.name for row in inventory.computers(inventory.hosts_of(seed, number))}
    assert {event.computer for event in events} == names


def test_people_who_log_on_are_in_it() -> None:
    events = Generator(GeneratorSettings()).take(2_000).events()
    logons = [event for line in events if (event := json.loads(line.line))["event_id"] == 4624]
    known = {row.name for row in inventory.accounts(inventory.hosts_of(1, 10))}
    people = {logon["data"]["TargetUserName"] for logon in logons}
    assert known & people
    assert known >= {name for name in people if "." in name}


def test_names_are_keys_and_owners_are_people() -> None:
    hosts = inventory.hosts_of(1, 200)
    computers, accounts = inventory.computers(hosts), inventory.accounts(hosts)
    names = [account.name for account in accounts]
    assert len(set(names)) == len(names)
    assert {computer.owner for computer in computers} <= set(names)
    assert {computer.criticality for computer in computers} == {"low", "high", "critical"}
    assert {account.privileged for account in accounts} == {True, False}
