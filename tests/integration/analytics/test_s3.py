"""The archive in a bucket of a real S3 server; what happens when the server or the bucket is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import attacked
import pytest
from asking import ask, refused, send, some_events
from aws import client, moto_server
from confluent_kafka import Consumer, TopicPartition
from faults.proxy import Proxy
from running import RunningStack, free_ports, wait_until

from local_stack.broker import kafka_objects

pytestmark = pytest.mark.integration

MEBIBYTE = 2**20


@pytest.fixture
def bucket(stack: RunningStack) -> Iterator[Any]:
    """moto's server at the address where the cluster expects S3, with a bucket `events`; a client of it."""
    with moto_server(urlsplit(stack.stack.s3_endpoint).port or 0) as endpoint:
        s3 = client("s3", endpoint)
        s3.create_bucket(Bucket="events")
        yield s3


def test_the_archive_goes_to_s3_in_several_parts_of_one_upload(
    stack: RunningStack, topics: tuple[str, str], bucket: Any
) -> None:
    (event,) = some_events(1, 200)[:1]
    events = [attacked.moved(event, n, record_id=n, message="x" * 900_000) for n in range(13)]
    send(stack, topics[0], events)
    job = ask(stack, "archive", "--kafka-topic", topics[0], "--bounded", "--archive-path", "s3://events/all")
    wait_until(lambda: job.state() == "FINISHED", "the job ends", told=job.failures)
    parts = _parts(bucket, "all")
    assert _lines(bucket, "all") == sorted(each["line"] for each in events)
    # The ETag of what came in several parts ends with their number.
    (largest,) = [part for part in parts if part["Size"] > 10 * MEBIBYTE]
    assert int(largest["ETag"].strip('"').rpartition("-")[2]) >= 2
    said = refused(stack, "archive", "--kafka-topic", topics[0], "--archive-path", "s3://no-such-bucket/all")
    assert "no-such-bucket" in said
    assert "check the bucket" in said


def test_a_server_of_s3_that_is_away(stack: RunningStack, topics: tuple[str, str]) -> None:
    said = refused(stack, "archive", "--kafka-topic", topics[0], "--archive-path", "s3://events/all")
    assert f"S3 at {stack.stack.s3_endpoint}: Connection refused" in said


def test_a_server_of_s3_that_refuses_the_key(
    stack: RunningStack, topics: tuple[str, str], bucket: Any
) -> None:
    # From here on moto asks who it is, and knows nobody.
    text = {"Content-Type": "text/plain"}
    ask_who = Request(f"{stack.stack.s3_endpoint}/moto-api/reset-auth", data=b"0", headers=text)
    urlopen(ask_who, timeout=60).close()
    said = refused(stack, "archive", "--kafka-topic", topics[0], "--archive-path", "s3://events/all")
    assert "s3://events/all" in said
    assert "The AWS Access Key Id you provided does not exist" in said
    assert "AWS_ACCESS_KEY_ID" in said


def test_events_wait_for_a_server_that_is_away_for_a_while(
    stack: RunningStack, topics: tuple[str, str]
) -> None:
    endpoint = urlsplit(stack.stack.s3_endpoint).port or 0
    events, before = some_events(4, 300), 100
    moto, nobody = free_ports(2)
    with moto_server(moto) as server, Proxy(moto, endpoint) as proxy:
        bucket = client("s3", server)
        bucket.create_bucket(Bucket="events")
        send(stack, topics[0], events[:before])
        job = ask(
            stack, "archive", "--kafka-topic", topics[0], "--archive-path", "s3://events/away",
            "--archive-part-seconds", "1", "--checkpoint-interval", "1",
            "--transactional-id-prefix", "win-event-analytics-away",
        )  # fmt: skip
        try:
            wait_until(lambda: len(_lines(bucket, "away")) == before, "a part", told=job.failures)
            # The offset of its checkpoint is committed a moment later, which a failure may prevent.
            wait_until(lambda: _behind(stack, topics[0]) == 0, "its offset is committed")
            proxy.target = nobody
            proxy.reset()
            send(stack, topics[0], events[before:])
            wait_until(lambda: proxy.refused >= 3, "the cluster finds S3 away")
            wait_until(lambda: _behind(stack, topics[0]) == len(events) - before, "the events wait")
            proxy.target = moto
            wait_until(
                lambda: len(_lines(bucket, "away")) >= len(events), "all are there", 300, told=job.failures
            )
            assert _lines(bucket, "away") == sorted(event["line"] for event in events)
            wait_until(lambda: _behind(stack, topics[0]) == 0, "none waits")
        finally:
            job.cancel()


def _parts(bucket: Any, prefix: str) -> list[dict[str, Any]]:
    found = bucket.list_objects_v2(Bucket="events", Prefix=f"{prefix}/day=").get("Contents", [])
    return [each for each in found if "/part-" in each["Key"]]


def _lines(bucket: Any, prefix: str) -> list[bytes]:
    """The lines of all visible parts."""
    bodies = [bucket.get_object(Bucket="events", Key=part["Key"])["Body"] for part in _parts(bucket, prefix)]
    return sorted(line for body in bodies for line in body.read().splitlines())


def _behind(stack: RunningStack, topic: str) -> int:
    """How many records the job's consumer group has not committed."""
    login = kafka_objects.connection(stack.stack, "analytics").client_settings()
    group = Consumer({**login, "group.id": "win-event-analytics-away"})
    try:
        places = [TopicPartition(topic, number) for number in range(3)]
        done = sum(max(each.offset, 0) for each in group.committed(places, timeout=60))
        return sum(group.get_watermark_offsets(each, timeout=60)[1] for each in places) - done
    finally:
        group.close()
