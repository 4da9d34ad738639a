"""What the bridge checks before it is submitted, and what Flink's web UI shows afterwards."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from feeding import Feeder
from odd_logins import ODD_PASSWORDS, make_user
from reading import read_topic
from running import BIN, Job, RunningProducer, RunningStack, renamed_topology, run, wait_until

from kafka_setup.topology.file import parse_topology
from local_stack import processes
from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER

pytestmark = pytest.mark.integration
HOUR = 3_600_000


@pytest.fixture(scope="module")
def open_transaction(stack: RunningStack) -> Iterator[float]:
    """A transaction that a job of another prefix left open; gives the time of its beginning."""
    topics = stack.create_topics("abandoned")
    login = kafka_objects.connection(stack.stack, "bridge").client_settings()
    abandoned = Producer(
        {**login, "transactional.id": "win-event-bridge-gone-0-1", "transaction.timeout.ms": 600_000}
    )
    abandoned.init_transactions(60)
    abandoned.begin_transaction()
    abandoned.produce(topics[0], b"{}", b"key")
    abandoned.flush(60)
    yield time.monotonic()
    abandoned.abort_transaction(60)


def configure(stack: RunningStack, topic: str, **settings: str) -> None:
    """Settings of a topic, with `_` for `.` in the names."""
    admin = AdminClient(kafka_objects.connection(stack.stack, SUPER_USER).client_settings())
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    admin.incremental_alter_configs([resource])[resource].result(60)


def refused(stack: RunningStack, topics: tuple[str, str], *options: str, **login: str) -> str:
    """The message of a submission that must fail; asserts that nothing was submitted."""
    jobs = len(stack.rest("/jobs")["jobs"])
    words = ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1], *options)
    answer = stack.told("flink_bridge", *words, **login)
    assert answer.code != 0, answer.text
    assert len(stack.rest("/jobs")["jobs"]) == jobs
    return answer.text


@pytest.mark.usefixtures("open_transaction")
def test_a_user_who_may_only_read_is_refused_before(stack: RunningStack, topics: tuple[str, str]) -> None:
    """By a `flink run` of its own, which tells Flink's exit code."""
    names = ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1])
    result = stack.flink_run(*names, user="reader")
    assert result.returncode == 31, result.stdout
    assert "JobID" not in result.stdout
    assert f"error: the user reader may not WRITE on the topic {topics[0]}" in result.stdout + result.stderr


def test_the_command_of_the_message_creates_the_topics(stack: RunningStack) -> None:
    names = ("own.events", "own.rejected")
    command = re.search(r"`win-event-kafka-setup ([^`]+)`", refused(stack, names))
    assert command
    done = run(BIN / "win-event-kafka-setup", *command[1].split(), env=stack.shell("admin"))
    assert done.returncode == 0, done.stderr
    # The topics and the permission are there now, so what is refused is only the last option.
    said = refused(stack, names, "--sink-parallelism", "1000")
    assert "--sink-parallelism" in said
    assert "WRITE" not in said


def test_a_compacted_topic_is_refused_before(stack: RunningStack, topics: tuple[str, str]) -> None:
    configure(stack, topics[1], cleanup_policy="compact")
    said = refused(stack, topics)
    assert (
        f"error: the topic {topics[1]} has cleanup.policy=compact: it accepts no record without a key" in said
    )


def test_more_subtasks_than_slots_are_refused_before(stack: RunningStack, topics: tuple[str, str]) -> None:
    said = refused(stack, topics, "--sink-parallelism", "1000")
    assert "error: --sink-parallelism 1000: the cluster has only" in said


def test_tls_where_there_is_none_is_said_at_once(stack: RunningStack, topics: tuple[str, str]) -> None:
    said = refused(stack, topics, KAFKA_SECURITY_PROTOCOL="SASL_SSL")
    assert "does not use TLS, but the security protocol is SASL_SSL" in said
    assert "set KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT" in said


def test_what_the_topic_would_refuse_is_rejected_by_the_job(
    stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job]
) -> None:
    configure(stack, topics[0], max_message_bytes="20000", message_timestamp_before_max_ms=str(24 * HOUR))
    configure(stack, topics[0], message_timestamp_after_max_ms=str(HOUR // 2))
    now = time.time()

    def at(hours: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + hours * 3600))

    lines = {
        json.dumps({"computer": "a", "timestamp": at(0)}): None,
        json.dumps({"computer": "a", "timestamp": at(-23)}): "too-old",  # within the margin for clocks
        json.dumps({"computer": "a", "timestamp": at(-20)}): None,
        json.dumps({"computer": "a", "timestamp": at(-100)}): "too-old",
        json.dumps({"computer": "a", "timestamp": at(0.9)}): "ahead",
        json.dumps({"computer": "a" * 9_000, "x": "y" * 1_000}): None,
        json.dumps({"computer": "a" * 9_000, "x": "y" * 5_000}): "too-long",  # the key counts too
        json.dumps({"computer": "a", "x": "y" * 30_000}): "too-long",
    }
    lines[json.dumps({"computer": "a", "timestamp": at(-23)})] = None
    good = [line for line, reason in lines.items() if reason is None]
    with Feeder(["".join(line + "\n" for line in lines).encode()]) as feeder:
        job = submit(feeder.port, "--too-old", "keep")
        processed = read_topic(stack, topics[0], len(good))
        rejected = read_topic(stack, topics[1], len(lines) - len(good))
        assert job.failures() == ""
    assert sorted(record.value.decode() for record in processed) == sorted(good)
    assert Counter(record.headers["reason"].decode() for record in rejected) == Counter(
        reason for reason in lines.values() if reason
    )


@pytest.mark.parametrize("kind", ODD_PASSWORDS)
def test_any_password_logs_in_from_the_file_that_serves_all_tools(
    stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job], tmp_path: Path, kind: str
) -> None:
    suffix = topics[0].removeprefix("events_processed")
    topology = parse_topology(renamed_topology(suffix))
    logged_in = make_user(stack, topology, "bridge", f"odd{suffix}", kind, tmp_path)
    with Feeder([b'{"computer":"a"}\n']) as feeder:
        job = submit(feeder.port, **logged_in)
        assert "note:" not in job.submission
        assert [record.key for record in read_topic(stack, topics[0], 1, 120)] == [b"a"]


def test_the_web_ui_names_what_the_job_does_and_who_is_busy(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
) -> None:
    port = producer("--rate", "1").port
    job = submit(port).wait_until_running()
    names = [vertex["name"] for vertex in stack.rest(f"/jobs/{job.job_id}")["vertices"]]
    sink = f"write to Kafka ({topics[0]})"
    assert names == [f"Source: read 127.0.0.1:{port} -> parse and key -> {sink}: Writer -> {sink}: Committer"]
    reading = stack.rest(f"/jobs/{job.job_id}")["vertices"][0]["id"]
    metric = f"/jobs/{job.job_id}/vertices/{reading}/metrics?get=0.busyTimeMsPerSecond"

    def idle() -> bool:
        # Flink counts from its second look on, some seconds after the start; before, it has no such metric.
        found = stack.rest(metric)
        return bool(found) and float(found[0]["value"]) < 500

    wait_until(idle, "an idle source is not busy")
    shipped = [file.stat().st_size for file in stack.stack.directory.glob(f"**/job_{job.job_id}/blob_p-*")]
    assert shipped, "the jar of the job"
    assert max(shipped) < 1_000_000, "PyFlink's jar of 42 MB is not shipped"

    twin = submit(port)
    twin.cancel()
    assert f"runs already ({job.job_id}): both read every line" in twin.submission
    said = refused(stack, topics, "--port", str(port), "--delivery-guarantee", "exactly-once")
    assert f"both would end each other's transactions: flink stop {job.job_id} first" in said


def test_a_transaction_that_an_old_job_left_open_is_named(
    stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job], open_transaction: float
) -> None:
    wait_until(lambda: time.monotonic() - open_transaction > 61, "it is open for a minute")
    with Feeder([b'{"computer":"a"}\n']) as feeder:
        job = submit(feeder.port, "--delivery-guarantee", "exactly-once", "--checkpoint-interval", "1")
        assert [record.key for record in read_topic(stack, topics[0], 1, 120, "read_committed")] == [b"a"]
    assert "warning: the transaction win-event-bridge-gone-0-1 is open since" in job.submission
    assert "forceTerminateTransaction --transactionalId win-event-bridge-gone-0-1" in job.submission


def test_a_record_that_slips_through_fails_its_job_alone(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
) -> None:
    """Without the check of the topic, the job restarts at the line that the broker refuses."""
    other = submit(producer("--rate", "10").port, "--job-name", "beside").wait_until_running()
    configure(stack, topics[0], max_message_bytes="5000", message_timestamp_before_max_ms=str(HOUR))
    configure(stack, topics[1], cleanup_policy="compact")
    refused_for = {
        "RecordTooLarge": b'{"computer":"a","x":"' + os.urandom(20_000).hex().encode() + b'"}\n',
        "InvalidTimestamp": b'{"computer":"a","timestamp":"2019-01-01T00:00:00Z"}\n',
        "InvalidRecord": b"no event, so its record has no key\n",
    }
    before = processes.running(stack.stack, "taskmanager-1")
    with ExitStack() as fed:
        feeders = {error: fed.enter_context(Feeder([line] * 30)) for error, line in refused_for.items()}
        jobs = {
            error: submit(feeder.port, "--no-check", "--too-old", "keep", "--job-name", error)
            for error, feeder in feeders.items()
        }

        def fails_again(error: str) -> bool:
            return jobs[error].failures().count(error) > 2

        for error, job in jobs.items():
            wait_until(lambda error=error: fails_again(error), f"the broker refuses it, again: {error}")
            job.cancel()
    assert processes.running(stack.stack, "taskmanager-1") == before
    assert other.failures() == ""
