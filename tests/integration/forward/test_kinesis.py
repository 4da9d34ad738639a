"""win-event-forward-kinesis between the real broker and moto's Kinesis, and the audit of what arrived."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aws import LOGIN, client, moto_server
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kinesis_proxy import refusing
from running import BIN, RunningStack, free_ports, run, wait_until

from forward.topic import Topic, TopicSettings
from local_stack import processes
from local_stack.broker import kafka_objects
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

pytestmark = pytest.mark.integration

SETTINGS = GeneratorSettings(seed=5, hosts=40, start_time=datetime(2026, 11, 21, tzinfo=timezone.utc))
SEED = ("--seed", "5", "--hosts", "40")
FORWARD = BIN / "win-event-forward-kinesis"


@pytest.fixture(scope="module")
def kinesis() -> Iterator[str]:
    """The endpoint of a Kinesis server."""
    with moto_server(free_ports(1)[0]) as endpoint:
        yield endpoint


def fill(broker: RunningStack, topic: str, count: int) -> list[bytes]:
    """Events as the bridge writes them: key = computer."""
    lines = [event.line[:-1] for event in islice(generate(SETTINGS), count)]
    producer = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
    for line in lines:
        producer.produce(topic, line, key=json.loads(line)["computer"])
    assert producer.flush(60) == 0
    return lines


def environment(broker: RunningStack, endpoint: str, user: str = "forwarder") -> dict[str, str]:
    return {**broker.shell(user), **LOGIN, "AWS_ENDPOINT_URL_KINESIS": endpoint}


def forward(broker: RunningStack, endpoint: str, topic: str, *options: str) -> Any:
    command = (FORWARD, "--topic", topic, "--stream", topic, "--group", f"win-event-forward-{topic}")
    return run(*command, *options, env=environment(broker, endpoint), timeout=120)


def audit(broker: RunningStack, endpoint: str, stream: str, count: int, *options: str) -> Any:
    command = (BIN / "win-event-verify", "--kinesis", stream, *SEED, "--count", str(count), "--complete")
    return run(*command, "--json", *options, env=environment(broker, endpoint, "reader"), timeout=120)


def records(endpoint: str, stream: str) -> list[dict[str, Any]]:
    """All records of a stream, shard by shard."""
    kinesis, found = client("kinesis", endpoint), []
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(StreamName=stream, **start)["ShardIterator"]
        found += kinesis.get_records(ShardIterator=iterator)["Records"]
    return found


def test_a_topic_arrives_whole_in_order_and_once(
    broker: RunningStack, topics: tuple[str, str], kinesis: str
) -> None:
    topic, _ = topics
    lines = fill(broker, topic, 3_000)
    result = forward(broker, kinesis, topic, "--create-stream", "--shards", "3", "--bounded")
    assert result.returncode == 0, result.stderr
    assert f"forwarded 3,000 records ({sum(map(len, lines)) + sizes(lines):,} bytes)" in result.stdout
    report = audit(broker, kinesis, topic, 3_000, "--exactly-once")
    assert report.returncode == 0, report.stdout + report.stderr
    assert json.loads(report.stdout)["records"] == 3_000
    assert len(client("kinesis", kinesis).list_shards(StreamName=topic)["Shards"]) == 3
    again = forward(broker, kinesis, topic, "--bounded")
    assert "forwarded 0 records" in again.stdout, again.stderr


def test_records_that_were_deleted_before_they_were_read_are_counted(
    broker: RunningStack, topics: tuple[str, str], kinesis: str
) -> None:
    """--start-from latest is for a new group only: it must not skip what is left."""
    topic, _ = topics
    fill(broker, topic, 500)
    first = forward(broker, kinesis, topic, "--create-stream", "--bounded", "--start-from", "earliest")
    assert "forwarded 500 records" in first.stdout, first.stderr
    fill(broker, topic, 500)
    reader = Consumer(
        {**kafka_objects.connection(broker.stack, "reader").client_settings(), "group.id": "win-event-x"}
    )
    partitions = [
        TopicPartition(topic, number) for number in reader.list_topics(topic).topics[topic].partitions
    ]
    ends = {each.partition: reader.get_watermark_offsets(each)[1] for each in partitions}
    reader.close()
    # Half of a partition was read before: everything but its last three records goes.
    delete_records(broker, topic, {number: end - 3 for number, end in ends.items()})
    second = forward(broker, kinesis, topic, "--bounded", "--start-from", "latest")
    assert f"forwarded {3 * len(ends)} records" in second.stdout, second.stdout + second.stderr
    assert second.stderr.count("were deleted before they were read") == len(ends)


@pytest.mark.parametrize("start_from", ["earliest", "latest"])
def test_records_that_are_deleted_while_the_reader_waits_are_counted(
    broker: RunningStack, topics: tuple[str, str], start_from: str
) -> None:
    """A stream that takes nothing makes the reader wait; what is left is read, whatever --start-from says."""
    topic, _ = topics
    settings = TopicSettings(
        kafka_objects.connection(broker.stack, "forwarder"), topic, f"win-event-forward-{topic}", start_from
    )
    deleted, read, ended = dict[int, int](), list[int](), set[int]()
    reader = Topic(settings, dict)
    try:
        reader.open(lambda gone: None, deleted.__setitem__, 60)

        def poll(more: bool) -> list[int]:
            messages, ends = reader.read(0.2, more=more)
            ended.update(ends)
            read.extend(message.offset() for message in messages)
            return read

        wait_until(lambda: poll(more=True) == [] and 0 in ended, "the end of the empty partition")
        poll(more=False)
        producer = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
        for number in range(100):
            producer.produce(topic, str(number), partition=0)
        assert producer.flush(60) == 0
        delete_records(broker, topic, {0: 60})
        assert poll(more=False) == []
        wait_until(lambda: len(poll(more=True)) >= 40, "the records that are left")
    finally:
        reader.close()
    assert read == list(range(60, 100))
    assert deleted == {0: 60}


def delete_records(broker: RunningStack, topic: str, before: dict[int, int]) -> None:
    """Delete the records before these offsets, as retention does."""
    admin = AdminClient(kafka_objects.connection(broker.stack, "kafka").client_settings())
    gone = [TopicPartition(topic, *place) for place in before.items()]
    for done in admin.delete_records(gone).values():
        done.result(60)


def sizes(lines: list[bytes]) -> int:
    return sum(len(json.loads(line)["computer"]) for line in lines)


def test_refused_records_are_sent_again_and_no_key_loses_its_order(
    broker: RunningStack, topics: tuple[str, str], kinesis: str
) -> None:
    topic, _ = topics
    fill(broker, topic, 1_000)
    with refusing(kinesis, 0.2) as proxy:
        result = forward(broker, proxy.url, topic, "--create-stream", "--bounded")
    assert result.returncode == 0, result.stderr
    assert proxy.refused > 100
    assert f"{proxy.refused:,} retries" in result.stdout
    for keys in proxy.requests:
        assert len(keys) == len(set(keys)) <= 500
    report = audit(broker, kinesis, topic, 1_000, "--exactly-once")
    assert report.returncode == 0, report.stdout + report.stderr


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a forwarder in the background; ends it after the test."""
    started: list[Running] = []

    def running(*words: Any) -> Running:
        started.append(Running(tmp_path, *words))
        return started[-1]

    yield running
    for each in started:
        each.process.kill()
        each.process.wait(60)


def test_nothing_is_lost_when_it_is_killed_in_the_middle(
    broker: RunningStack, topics: tuple[str, str], kinesis: str, start: Callable[..., Running]
) -> None:
    topic, _ = topics
    fill(broker, topic, 4_000)
    client("kinesis", kinesis).create_stream(StreamName=topic, ShardCount=2)
    with refusing(kinesis, 0, whole_requests=3) as proxy:
        killed = start(broker, proxy.url, topic)
        wait_until(lambda: proxy.refused, "it is in the middle")
        killed.process.kill()
        killed.process.wait(60)
    assert 0 < len(records(kinesis, topic)) < 4_000
    second = start(broker, kinesis, topic, "--metrics-port", "0")
    wait_until(lambda: len({each["Data"] for each in records(kinesis, topic)}) == 4_000, "all is there")
    report = audit(broker, kinesis, topic, 4_000)
    assert report.returncode == 0, report.stdout + report.stderr
    wait_until(lambda: 'win_event_forward_lag{partition="0"} 0.0' in second.metrics(), "the lag is told")
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0, second.text()
    assert "forwarded" in second.text().splitlines()[-1]
    assert "forwarded 0 records" in forward(broker, kinesis, topic, "--bounded").stdout  # all was committed


class Running:
    """The forwarder in the background, in the group of forward()."""

    def __init__(self, folder: Path, broker: RunningStack, endpoint: str, topic: str, *options: str) -> None:
        self.log = folder / f"forward-{time.monotonic_ns()}.log"
        group = f"win-event-forward-{topic}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(FORWARD), "--topic", topic, "--stream", topic, "--group", group, *options],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment(broker, endpoint)},
            )

    def text(self) -> str:
        return self.log.read_text()

    def metrics(self) -> str:
        url = wait_until(lambda: self.text().partition("metrics on ")[2].split(), "it tells its metrics")[0]
        with urlopen(url, timeout=60) as answer:
            return str(answer.read().decode())


def test_what_kinesis_can_never_take_is_rejected_and_counted(
    broker: RunningStack, topics: tuple[str, str], kinesis: str
) -> None:
    topic, _ = topics
    login = kafka_objects.connection(broker.stack, "bridge").client_settings()
    # Kafka counts what is compressed: so a record of 2 MiB is let in.
    producer = Producer({**login, "message.max.bytes": 3_000_000, "compression.type": "lz4"})
    for value in (b"before", bytes(2**21), None, b"after"):
        producer.produce(topic, value, key="key", partition=0)
    producer.produce(topic, b"\xff\x00", key=b"\xff", partition=0)
    producer.produce(topic, b"no key", partition=0)
    assert producer.flush(60) == 0
    result = forward(broker, kinesis, topic, "--create-stream", "--bounded")
    assert result.returncode == 0, result.stderr
    assert f"rejected as too-large: topic {topic} partition 0 offset 1 " in result.stderr
    assert "; 0 retries; 1 rejected, 1 too-large" in result.stdout
    found = records(kinesis, topic)
    assert [each["Data"] for each in found if each["PartitionKey"] == "key"] == [b"before", b"", b"after"]
    assert {each["Data"] for each in found} == {b"before", b"", b"after", b"\xff\x00", b"no key"}


def test_what_is_wrong_is_said_in_one_line(
    broker: RunningStack, topics: tuple[str, str], kinesis: str
) -> None:
    topic, rejected = topics
    fill(broker, topic, 1)
    no_stream = forward(broker, kinesis, topic)
    no_service = forward(broker, "http://127.0.0.1:1", topic, "--create-stream")
    not_allowed = forward(broker, kinesis, rejected, "--create-stream")
    for result, text in (
        (no_stream, "does this stream exist? --create-stream makes it"),
        (no_service, "http://127.0.0.1:1"),
        (not_allowed, f"topic {rejected}: "),
    ):
        assert result.returncode == 1
        assert text in result.stderr
        assert "Traceback" not in result.stderr
    report = audit(broker, kinesis, "no-such-stream", 1)
    assert report.returncode == 1
    assert "cannot read stream no-such-stream" in report.stderr


def test_kafka_that_is_away_is_said_once_counted_and_waited_for(
    broker: RunningStack, topics: tuple[str, str], kinesis: str, start: Callable[..., Running]
) -> None:
    topic, _ = topics
    fill(broker, topic, 100)
    streams = (topic, f"{topic}-2")
    for stream in streams:
        client("kinesis", kinesis).create_stream(StreamName=stream, ShardCount=1)
    patient = start(broker, kinesis, topic, "--metrics-port", "0")
    # In a group of its own: Kafka keeps the partitions of a reader that it has not seen leave for 45 seconds.
    # Into a stream of its own: moto loses records of two writers to one shard.
    alone = ("--group", f"win-event-forward-{topic}-2", "--stream", streams[1])
    impatient = start(broker, kinesis, topic, "--give-up-after", "1", *alone)
    wait_until(
        lambda: [len(records(kinesis, stream)) for stream in streams] == [100, 100], "both have sent all"
    )
    assert "win_event_forward_kafka_lost_total 0.0" in patient.metrics()
    try:
        daemon = processes.running(broker.stack, "kafka-1")
        assert daemon is not None
        os.kill(daemon.pid, signal.SIGKILL)
        wait_until(lambda: "win_event_forward_kafka_up 0.0" in patient.metrics(), "it is counted")
        wait_until(lambda: impatient.process.poll() is not None, "it gives up")
        assert impatient.process.wait() == 1
        assert "did not answer for" in impatient.text()
    finally:
        broker.up("--only", "kafka")
    fill(broker, topic, 200)  # the same 100 once more, and 100 new ones
    wait_until(lambda: len({each["Data"] for each in records(kinesis, topic)}) == 200, "it goes on")
    assert patient.text().count("does not answer: waiting for it") == 1
    wait_until(lambda: "answers again" in patient.text(), "that it is back is said")
    assert "win_event_forward_kafka_lost_total 1.0" in patient.metrics()
