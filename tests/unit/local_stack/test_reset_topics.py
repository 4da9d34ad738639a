"""Which topics `win-event-stack reset topics` removes. That it does: tests/integration/local_stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kafka_setup.topology.file import load_topology
from local_stack.layout import Stack
from local_stack.processes import StartError
from local_stack.reset.reset import topics_to_remove

KNOWN = [topic.name for topic in load_topology().topics]
OF_CONNECT = {name for name in KNOWN if name.startswith(("inventory.", "win-event-connect-"))}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def test_without_names_those_of_the_topology_that_are_there(stack: Stack) -> None:
    assert topics_to_remove(stack, (), KNOWN, [*KNOWN, "another"]) == (set(KNOWN), set())
    assert topics_to_remove(stack, (), KNOWN, ["alerts", "another"]) == ({"alerts"}, set())


def test_with_an_inventory_what_connect_has_a_place_in_is_left(stack: Stack) -> None:
    observed = replace(stack, cdc=True)
    assert len(OF_CONNECT) == 5
    assert topics_to_remove(observed, (), KNOWN, KNOWN) == (set(KNOWN) - OF_CONNECT, OF_CONNECT)
    assert topics_to_remove(observed, ("alerts", "another"), KNOWN, [*KNOWN, "another"])[1] == set()
    for name in OF_CONNECT:
        assert topics_to_remove(stack, (name,), KNOWN, KNOWN) == ({name}, set())
        with pytest.raises(StartError, match=f"its place in {name}. Instead: win-event-stack cdc reset"):
            topics_to_remove(observed, ("alerts", name), KNOWN, KNOWN)


def test_a_topic_that_is_not_there_is_refused_unless_the_topology_makes_it(stack: Stack) -> None:
    assert topics_to_remove(stack, ("alerts",), KNOWN, []) == (set(), set())
    with pytest.raises(StartError, match="there is no topic another"):
        topics_to_remove(stack, ("alerts", "another"), KNOWN, ["alerts"])
