"""Checks of the running broker: logins, topic settings, clocks."""

from __future__ import annotations

import time

from confluent_kafka import KafkaException

from kafka_setup.changes.plan import plan
from kafka_setup.changes.state import read_state
from kafka_setup.cluster_facts import ClusterFacts, read_facts
from kafka_setup.connection.session import KafkaUnavailableError, NotReadyError, connect
from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.health.kafka_risks import read_warnings
from local_stack.health.warnings import CheckResult
from local_stack.layout import Stack

_SKEW_SECONDS = 5.0  # a broker refuses times an hour ahead; long before that, latencies are meaningless


def examine_kafka(stack: Stack) -> list[CheckResult]:
    """Ends at a request that Kafka does not answer: each of the others would take as long."""
    logins: list[CheckResult] = []
    try:
        for user in kafka_objects.stack_topology(stack).users:
            logins.append(_login(stack, user.name))
        if not all(result.ok for result in logins):
            return logins
        return [*logins, _topology(stack), *_records(stack)]
    except (KafkaUnavailableError, KafkaException) as error:
        return [*logins, CheckResult(f"Kafka: {error}", False, "win-event-stack logs kafka-1")]


def _login(stack: Stack, user: str) -> CheckResult:
    remedy = "win-event-stack up sets the password of its file again"
    try:
        connect(kafka_objects.connection(stack, user))
    except NotReadyError:
        raise
    except (KafkaUnavailableError, OSError) as error:
        return CheckResult(f"login as {user}: {error}", False, remedy)
    return CheckResult(f"login as {user}", True)


def _topology(stack: Stack) -> CheckResult:
    admin = connect(kafka_objects.connection(stack, SUPER_USER))
    topology = kafka_objects.stack_topology(stack)
    pending = [change for change in plan(topology, read_state(admin, topology)) if change.pending]
    wrong = [f"{change.kind} {change.name} {change.detail}".rstrip() for change in pending]
    settings = "topics, their settings and permissions are those of the topology"
    what = "not as the topology says: " + "; ".join(wrong) if wrong else settings
    return CheckResult(what, not wrong, "win-event-stack up applies it again")


def _records(stack: Stack) -> list[CheckResult]:
    """Checks by the records themselves: clocks, retention, transactions."""
    admin = connect(kafka_objects.connection(stack, kafka_objects.watcher(stack)))
    facts = read_facts(admin)
    return [_clock(facts), *read_warnings(stack, admin, facts)]


def _clock(facts: ClusterFacts) -> CheckResult:
    newest = [topic.newest for topic in facts.topics if topic.newest is not None]
    ahead = max(newest, default=0.0) - time.time()
    if ahead > _SKEW_SECONDS:
        what = f"the newest record is {ahead:.0f} s ahead of this machine's clock"
        return CheckResult(what, False, "set the clocks of the machines that send events (NTP)")
    return CheckResult("no record is ahead of this machine's clock", True)
