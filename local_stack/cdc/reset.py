"""Resets the inventory: empties its topics, deletes the slot and Connect's position, takes a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from kafka_setup.changes.teardown import TeardownSettings, survey, teardown
from kafka_setup.connection.session import KafkaUnavailableError
from kafka_setup.topology.resources import Topology
from local_stack import processes
from local_stack.broker.kafka_objects import apply_topology, connection, stack_topology
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.cdc import connector, database
from local_stack.layout import Stack

if TYPE_CHECKING:
    from local_stack.stack import Reporter


def reset(stack: Stack, reporter: Reporter) -> None:
    """Reset the topics. The tables stay unchanged; their older versions are lost. Raises StartError."""
    reporter.doing("stopping the connector")
    connector.register(stack)
    connector.forget_offsets(stack)
    reporter.done("the connector is stopped and its position is deleted")
    database.drop_slot(stack)
    reporter.done("the replication slot is deleted")
    _empty_topics(stack)
    reporter.done("the topics are empty")
    reporter.doing("taking a snapshot")
    connector.resume(stack)
    reporter.done("the connector reads a new snapshot")


def _empty_topics(stack: Stack) -> None:
    """Delete and create the topics again, because records of compacted topics cannot be deleted."""
    names = {f"inventory.{table}" for table in database.TABLES}
    topics = tuple(topic for topic in stack_topology(stack).topics if topic.name in names)
    try:
        settings = TeardownSettings(Topology(topics, ()), connection(stack, SUPER_USER))
        results = teardown(settings, *survey(settings))
    except (KafkaUnavailableError, KafkaException) as error:
        raise processes.StartError(f"the topics could not be emptied: {error}") from error
    if failed := [f"{row.name}: {row.detail}" for row in results if row.failed]:
        raise processes.StartError("; ".join(failed))
    apply_topology(stack)
