"""A job that is submitted in the shell of a stack writes to the topics of that stack's own topology."""

from __future__ import annotations

from pathlib import Path

from local_stack.broker.kafka_objects import topic_variables
from local_stack.layout import Stack


def test_the_topics_of_an_own_topology_are_exported(tmp_path: Path) -> None:
    file = tmp_path / "topology.yaml"
    file.write_text("topics: {soc.windows: {role: events}, soc.rejected: {role: rejected}, other: {}}")
    assert topic_variables(Stack(tmp_path, topology=str(file))) == {
        "KAFKA_TOPIC": "soc.windows",
        "KAFKA_REJECTED_TOPIC": "soc.rejected",
    }
    assert topic_variables(Stack(tmp_path)) == {}
