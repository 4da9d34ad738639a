"""The archive in a bucket of a real S3 server; what is said when the server or the bucket is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import attacked
import pytest
from asking import ask, refused, send, some_events
from aws import client, moto_server
from running import RunningStack, wait_until

pytestmark = pytest.mark.integration

MEBIBYTE = 2**20


@pytest.fixture
def bucket(stack: RunningStack) -> Iterator[Any]:
    """moto's server where the cluster looks for S3, with a bucket `events`; a client of it."""
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
    job = ask(
        stack, "archive", "--kafka-topic", topics[0], "--bounded", "--archive-path", "s3://events/all",
        "--archive-part-seconds", "1",
    )  # fmt: skip
    wait_until(lambda: job.state() == "FINISHED", f"the job ends; {job.failures()}", 120)
    found = bucket.list_objects_v2(Bucket="events", Prefix="all/day=")["Contents"]
    parts = [each for each in found if "/part-" in each["Key"]]
    lines = [
        line
        for part in parts
        for line in bucket.get_object(Bucket="events", Key=part["Key"])["Body"].read().splitlines()
    ]
    assert sorted(lines) == sorted(each["line"] for each in events)
    # The name of what came in several parts ends with their number.
    (largest,) = [part for part in parts if part["Size"] > 10 * MEBIBYTE]
    assert int(largest["ETag"].strip('"').rpartition("-")[2]) >= 2
    said = refused(stack, "archive", "--kafka-topic", topics[0], "--archive-path", "s3://no-such-bucket/all")
    assert "no-such-bucket" in said
    assert "check the bucket" in said


def test_a_server_of_s3_that_is_away(stack: RunningStack, topics: tuple[str, str]) -> None:
    said = refused(stack, "archive", "--kafka-topic", topics[0], "--archive-path", "s3://events/all")
    assert f"S3 at {stack.stack.s3_endpoint}: Connection refused" in said
