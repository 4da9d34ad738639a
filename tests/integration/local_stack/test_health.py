"""status and doctor find faults in a real broker and a real cluster, and find none after the repair."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from running import BIN, RunningProducer, RunningStack, run, wait_until

from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER

HOUR = 3_600_000  # milliseconds


def _login(stack: RunningStack, user: str = SUPER_USER) -> dict[str, Any]:
    return dict(kafka_objects.connection(stack.stack, user).client_settings())


def _told(stack: RunningStack, command: str) -> str:
    """The output of `command` as one line, because tables and long lines are wrapped."""
    return " ".join(run(BIN / "win-event-stack", command, env=stack.environment).stdout.split())


@contextmanager
def _topic(admin: AdminClient, name: str, **settings: str) -> Iterator[None]:
    for made in admin.create_topics([NewTopic(name, 1, 1, config=settings)]).values():
        made.result()
    yield
    for gone in admin.delete_topics([name]).values():
        gone.result()


def test_records_that_retention_is_about_to_delete_are_named(broker: RunningStack) -> None:
    name = "events_of_an_hour_ago"
    warning = f"{name}: retention deletes 10 of 10 records within 0.1 h"
    with _topic(AdminClient(_login(broker)), name, **{"retention.ms": str(HOUR)}):
        producer = Producer(_login(broker))
        for number in range(10):
            producer.produce(name, b"%d" % number, timestamp=int(time.time() * 1000) - HOUR * 19 // 20)
        assert producer.flush(60) == 0
        assert warning in _told(broker, "status")
        assert warning in _told(broker, "doctor")
    assert warning not in _told(broker, "status")


@pytest.mark.nightly
def test_a_hanging_transaction_is_named_with_the_command_that_ends_it(broker: RunningStack) -> None:
    name = "win-event-bridge-left-open"
    settings = {"transactional.id": name, "transaction.timeout.ms": 600_000}
    producer = Producer(_login(broker, "bridge") | settings)
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce("events_processed", b"{}")
    assert producer.flush(60) == 0
    wait_until(lambda: f"transaction {name} is open" in _told(broker, "doctor"), "a warning")
    found = json.loads(run(BIN / "win-event-stack", "status", "--json", env=broker.environment).stdout)
    (warning,) = [each for each in found["warnings"] if name in each["what"]]
    assert "1 of events_processed" in warning["what"]
    advice = warning["remedy"].partition("to discard its records: ")[2]
    ended = run(*shlex.split(advice), env=broker.environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    wait_until(lambda: name not in _told(broker, "doctor"), "no warning")


@pytest.mark.nightly
def test_a_job_that_fails_at_the_same_place_again_and_again_is_named(
    stack: RunningStack, topics: tuple[str, str], tmp_path: Path
) -> None:
    producer = RunningProducer(tmp_path, "--rate", "50")
    sink = ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1])
    job = stack.submit("--hostname", "127.0.0.1", "--port", str(producer.port), *sink)
    every = AclBindingFilter(
        ResourceType.TOPIC, topics[0], ResourcePatternType.LITERAL, "User:bridge", None,
        AclOperation.WRITE, AclPermissionType.ANY,
    )  # fmt: skip

    def named() -> bool:
        said = _told(stack, "status")
        return "again and again" in said and f"Not authorized to access topics: [{topics[0]}]" in said

    try:
        admin = AdminClient(_login(stack))
        for future in admin.delete_acls([every]).values():
            future.result()
        wait_until(named, "a warning")
    finally:
        job.cancel()
        producer.stop()
