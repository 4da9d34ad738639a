"""Hostile lines, options of the graph, several endpoints: every line arrives in one of the two topics."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from feeding import Feeder
from hostile import hostile_lines
from reading import read_topic
from running import Job, RunningStack, wait_until

from producer.events.line_rule import read_line

pytestmark = pytest.mark.integration


def test_hostile_lines(stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job]) -> None:
    """This tests the way through the job; many more lines are tested without a cluster.

    That `win-event-stack status` warns, too, is tested in local_stack/test_submit.py.
    """
    empty = [b"", b"\r"]
    lines = [line for line in hostile_lines(2_000) if line not in empty]
    events = Counter(line for line in lines if read_line(line).event is not None)
    assert events.total() > 300
    with Feeder([b"\n".join([*empty, *lines, *empty]) + b"\n"]) as feeder:
        job = submit(feeder.port, "--no-event-timestamps")
        processed = read_topic(stack, topics[0], events.total())
        rejected = read_topic(stack, topics[1], len(lines) - events.total())
        assert job.failures() == ""
        warned = rf"of the last \d+ lines from 127.0.0.1:{feeder.port} were rejected, most of them as [\w:-]+"
        log = stack.stack.logs / "taskmanager-1.log"
        wait_until(lambda: re.search(warned, log.read_text(errors="replace")), "the job's log warns")
    assert Counter(record.value for record in processed) == events
    assert len(processed) + len(rejected) == len(lines)  # in = out + rejected
    assert {"not-json", "not-an-object", "missing:computer", "too-long", "nul", "several-values"} <= {
        record.headers["reason"].decode() for record in rejected
    }


def test_fields_of_nested_events_from_several_endpoints(
    stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job]
) -> None:
    # Yesterday, because an event that is older than the topic's retention gets the time of its arrival.
    noon = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=177_000) - timedelta(
        days=1
    )
    good = {
        "@timestamp": f"{noon:%Y-%m-%dT%H:%M:%S}.177Z",
        "host": {"name": "WS-1"},
        "event": {"code": "4624"},
        "winlog": {"channel": "Security", "opcode": None},
    }
    late = good | {"@timestamp": f"{noon + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}.177+02:00"}
    plain = good | {"@timestamp": f"{noon:%Y-%m-%dT%H:%M:%S}Z"}
    bad = {
        "bad-timestamp": [good | {"@timestamp": value} for value in ("soon", "2026-13-01T00:00:00Z", 5)],
        "ahead": [good | {"@timestamp": "9999-01-01T00:00:00Z"}],
        "missing:event.code": [good | {"event": {}}, good | {"event": 1}],
        "missing:Hostname": [good | {"host": {}}],
        "missing:@timestamp": [{name: value for name, value in good.items() if name != "@timestamp"}],
    }
    first = [good, late, plain]
    second = [event for events in bad.values() for event in events]
    script = [b"".join(json.dumps(event).encode() + b"\n" for event in events) for events in (first, second)]
    with Feeder([script[0]]) as one, Feeder([script[1]]) as other:
        submit(
            one.port, "--hostname", f"127.0.0.1:{one.port},127.0.0.1:{other.port}",
            "--key-field", "Hostname,host.name", "--require", "@timestamp,event.code",
            "--headers", "winlog.channel,winlog.opcode,event.code",
        )  # fmt: skip
        processed = read_topic(stack, topics[0], len(first))
        rejected = read_topic(stack, topics[1], len(second))
    milliseconds = int(noon.timestamp()) * 1000 + 177
    assert sorted(record.timestamp for record in processed) == [
        milliseconds - 177,
        milliseconds,
        milliseconds,
    ]
    for record in processed:
        assert record.key == b"WS-1"
        # a field that is null or absent makes no header
        assert record.headers == {"winlog.channel": b"Security", "event.code": b"4624"}
    found = {record.value: record.headers["reason"].decode() for record in rejected}
    assert found == {json.dumps(event).encode(): reason for reason, events in bad.items() for event in events}
    assert {record.headers["endpoint"] for record in rejected} == {f"127.0.0.1:{other.port}".encode()}


@pytest.fixture
def no_topics(topics: tuple[str, str]) -> tuple[str, ...]:
    return ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ("--kafka-topic", "private"),
            "TopicAuthorizationException: Not authorized to access topics: [private]",
        ),
        (
            ("--delivery-guarantee", "exactly-once", "--transaction-timeout", "86400"),
            "lower --transaction-timeout 86400",
        ),
        (("--hostname", "a:b"), "'a:b': the port is not a number"),
    ],
    ids=["permission", "transaction timeout", "usage"],
)
def test_what_would_fail_fails_before_it_is_submitted(
    stack: RunningStack, no_topics: tuple[str, ...], options: tuple[str, ...], reason: str
) -> None:
    jobs = len(stack.rest("/jobs")["jobs"])
    answer = stack.told("flink_bridge", *no_topics, *options)
    assert answer.code != 0
    assert reason in answer.text
    assert len(stack.rest("/jobs")["jobs"]) == jobs
