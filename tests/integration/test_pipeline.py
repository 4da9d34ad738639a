"""The main job, end to end: producer, PyFlink job on a session cluster, broker with SASL and ACLs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

import psutil
import pytest
from feeding import Feeder
from reading import end_offsets, read_topic
from running import Job, RunningProducer, RunningStack, run, wait_until

from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

pytestmark = pytest.mark.integration

HOSTILE = {
    b"not json at all": "not-json",
    b'{"computer":"WS-1","torn': "not-json",
    b"\xff\xfe\x00 not even text": "utf-16",
    b'{"computer":"WS-\xff"}': "not-json",
    b'\xef\xbb\xbf{"computer":"WS-1"}': "bom",
    b'<13>Nov 25 09:28:24 WS-1 {"computer":"WS-1"}': "syslog-prefix",
    b'{"computer":"WS-1"}{"computer":"WS-2"}': "several-values",
    b'["an","array"]': "not-an-object",
    b'"a string"': "not-an-object",
    b"42": "not-an-object",
    b"null": "not-an-object",
    b'{"level":"Information"}': "missing:computer",
    b'{"computer":"WS-1","padding":"' + b"x" * 70_000 + b'"}': "too-long",
}


# Flink's own source has decoded the bytes, and joins the torn end of a connection to the next line.
OF_SOCKET = {b"\xff\xfe\x00 not even text": "nul"}


@pytest.mark.parametrize(
    ("source", "others", "of_torn"), [("auto", {}, "torn"), ("socket", OF_SOCKET, "not-json")]
)
def test_every_line_is_delivered_or_rejected_with_its_reason(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    source: str,
    others: dict[bytes, str],
    of_torn: str,
) -> None:
    good = [event.line for event in islice(generate(GeneratorSettings(seed=1, hosts=5)), 2_000)]
    hostile = [line + b"\n" for line in HOSTILE]
    mixed = [
        line for index, event in enumerate(good) for line in (event, hostile[index % len(hostile)], b"\n")
    ]
    half = len(mixed) // 2
    torn = b'{"computer":"WS-1","cut off'
    with Feeder([b"\n" + b"".join(mixed[:half]) + torn, b"\n" + b"".join(mixed[half:])]) as feeder:
        submit(feeder.port, "--source", source)
        processed = read_topic(stack, topics[0], len(good))
        rejected = read_topic(stack, topics[1], len(good) + 1)

    assert sorted(record.value for record in processed) == sorted(line.rstrip(b"\n") for line in good)
    assert all(record.key == json.loads(record.value)["computer"].encode() for record in processed)
    for key in {record.key for record in processed}:
        of_key = [record for record in processed if record.key == key]
        assert len({record.partition for record in of_key}) == 1
        expected = [line.rstrip(b"\n") for line in good if json.loads(line)["computer"].encode() == key]
        assert [record.value for record in of_key] == expected  # in order
    expected_reasons = list((HOSTILE | others).values())
    reasons = Counter(expected_reasons[index % len(HOSTILE)] for index in range(len(good)))
    reasons[of_torn] += 1
    assert Counter(record.headers["reason"].decode() for record in rejected) == reasons
    assert {record.headers["endpoint"] for record in rejected} == {f"127.0.0.1:{feeder.port}".encode()}


def test_timestamps_and_headers_come_from_the_event(
    stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job]
) -> None:
    start = datetime.now(timezone.utc)  # what is older than the topic keeps would get the time of its arrival
    good = [event.line for event in islice(generate(GeneratorSettings(seed=2, start_time=start)), 100)]
    with Feeder([b"".join(good)]) as feeder:
        submit(feeder.port, "--event-timestamps", "--headers", "source,level,event_id")
        records = read_topic(stack, topics[0], len(good))
    for record in records:
        event = json.loads(record.value)
        names = ("source", "level", "event_id")
        assert {n: record.headers[n].decode() for n in names} == {n: str(event[n]) for n in names}
        seconds, fraction = event["timestamp"].rstrip("Z").split(".")
        assert record.timestamp % 1000 == int(fraction[:3])
        assert f"{seconds}.{fraction[:3]}" == _iso(record.timestamp)


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}"


def test_the_job_outlives_its_producer(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
    tmp_path: Path,
) -> None:
    options = ("--count", "1000", "--rate", "max", "--hosts", "3", "--wait-for-clients", "1")
    ledger = tmp_path / "first.ndjson"
    first = producer(*options, "--seed", "1", "--ledger", str(ledger))
    submit(first.port)
    wait_until(lambda: end_offsets(stack, topics[0]) == 1000, "all 1000")
    assert stack.verify(topics[0], "--ledger", str(ledger))["lost"] == 0
    assert first.stop() == 0
    other = tmp_path / "second.ndjson"

    producer(*options, "--seed", "2", "--ledger", str(other), port=first.port)

    records = read_topic(stack, topics[0], 2000)
    assert len(records) == 2000
    written = [json.loads(record.value) for record in records]
    ids = Counter((event["computer"], event["source"], event["record_id"]) for event in written)
    assert set(ids.values()) <= {1, 2}  # both runs count from 1


@pytest.mark.parametrize(
    ("password", "topic", "reason"),
    [
        ("not the password", None, "SaslAuthenticationException: Authentication failed"),
        (None, "private", "TopicAuthorizationException: Not authorized to access topics: [private]"),
    ],
    ids=["wrong password", "missing permission"],
)
def test_a_refused_login_says_why(
    stack: RunningStack,
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
    tmp_path: Path,
    password: str | None,
    topic: str | None,
    reason: str,
) -> None:
    variables = {}
    if password:
        (tmp_path / "wrong").write_text(password)
        variables["KAFKA_PASSWORD_FILE"] = str(tmp_path / "wrong")
    options = ("--no-check", *(("--kafka-topic", topic) if topic else ()))
    job = submit(producer("--rate", "100").port, *options, **variables)
    wait_until(lambda: reason in job.failures(), f"the job says {reason}", told=job.failures)
    if password:
        assert _leaks(stack, job, [password]) == []


def test_no_password_shows_anywhere(
    stack: RunningStack, submit: Callable[..., Job], producer: Callable[..., RunningProducer]
) -> None:
    """Tests three kinds of jobs, which one client submits."""
    options = {
        "socket": ["--source", "socket"],
        "exactly once": ["--delivery-guarantee", "exactly-once"],
        "all": ["--event-timestamps", "--headers", "source,level", "--kafka-property", "client.id=canary"],
    }
    port = producer("--rate", "100").port
    jobs = [submit(port, "--job-name", name, *each) for name, each in options.items()]
    secrets = [file.read_text() for file in stack.stack.secrets.iterdir()]
    for job in jobs:
        assert _leaks(stack, job.wait_until_running(), secrets) == []


def _leaks(stack: RunningStack, job: Job, secrets: Iterable[str]) -> list[str]:
    """Names of the places where a user who cannot read the secret files could still read a secret."""
    places = {
        "job configuration": json.dumps(stack.rest(f"/jobs/{job.job_id}/config")),
        "job": json.dumps(stack.rest(f"/jobs/{job.job_id}")),
        "job plan": json.dumps(stack.rest(f"/jobs/{job.job_id}/plan")),
        "exceptions": json.dumps(stack.rest(f"/jobs/{job.job_id}/exceptions")),
        "cluster configuration": json.dumps(stack.rest("/jobmanager/config")),
        "process list": json.dumps([process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]),
        "rendered configuration": "".join(file.read_text() for file in stack.stack.flink_conf.iterdir()),
        "what flink run printed": job.submission,
    }
    places |= {log.name: log.read_text(errors="replace") for log in stack.stack.logs.iterdir()}
    assert "jobmanager.log" in places
    assert "guarantee: " in places["what flink run printed"]
    return [name for name, text in places.items() if any(secret in text for secret in secrets)]


def test_kafkas_own_consumer_shows_keys_as_the_reader(
    stack: RunningStack,
    topics: tuple[str, str],
    submit: Callable[..., Job],
    producer: Callable[..., RunningProducer],
) -> None:
    submit(producer("--rate", "200", "--hosts", "2").port)
    script = (
        f'kafka-console-consumer.sh --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" --topic {topics[0]} '
        '--command-config "$KAFKA_READER_CONFIG" --from-beginning --max-messages 5 --timeout-ms 90000 '
        "--property print.key=true"
    )
    result = run("bash", "-c", script, env=stack.shell())
    lines = [line for line in result.stdout.splitlines() if "\t" in line]
    assert len(lines) == 5, result.stderr
    for line in lines:
        key, value = line.split("\t", 1)
        assert json.loads(value)["computer"] == key
