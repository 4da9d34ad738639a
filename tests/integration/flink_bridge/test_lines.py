"""Hostile lines, options of the graph, several endpoints: what goes in comes out somewhere."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from feeding import Feeder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import read_topic
from running import Job, RunningStack

pytestmark = pytest.mark.integration

CORPUS = [
    b'{"computer":"\xff\xfe"}',
    b'{"computer":"a\x00b"}',
    b'{"computer":"a"} trailing',
    b'{"computer":"a"},',
    b'{"computer":"a"}{"computer":"b"}',
    b'{"computer":"a"},{"computer":"b"}',
    b'{"computer":"a"},"x":1',
    b'{"computer":{"nested":1}}',
    b'{"computer":null}',
    b'{"computer":5}',
    b'{"computer":""}',
    b'{"computer":"first","computer":"second"}',
    b'{"computer":"\\ud800"}',
    b'{"n":1e999999,"computer":"huge"}',
    b'{"n":' + b"9" * 5_000 + b',"computer":"digits"}',
    b'{"n":' + b"[" * 5_000 + b"]" * 5_000 + b',"computer":"deep"}',
    b"\xef\xbb\xbf" + b'{"computer":"bom"}',
    b'{"computer":"bare\rcr"}',
    b'{"computer":"caf\xc3\xa9"}',
    b'{"computer":NaN}',
    b"{'computer':'single'}",
    b'["computer"]',
    b'"computer"',
    b"\xef\xbf\xbd",
    b" ",
    b"\t",
    b"null",
    b"]}",
    b'"e":1}',
    b"@",
    b'{"computer":"at the limit","x":"' + b"y" * (65_536 - 34) + b'"}',
    b'{"computer":"past the limit","x":"' + b"y" * (65_536 - 35) + b'"}',
    b'{"computer":"' + b"x" * 1_000_000 + b'"}',
    b"z" * 1_200_000,
    b'{"computer":"cr lf"}\r',
]


FRAGMENTS = b' ,:"{}[]\\0e\r\xff\xc3'


def imagined_lines(count: int) -> list[bytes]:
    """Lines that hypothesis thinks of: JSON of all kinds, broken in all ways."""
    lines: list[bytes] = []
    values = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
    events = st.fixed_dictionaries({"computer": st.text(max_size=10)}, optional={"x": values, "é": values})
    documents = (events | values).map(
        lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    )
    damaged = st.tuples(documents, st.integers(0, 40), st.binary(max_size=4)).map(
        lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]
    )

    @settings(
        max_examples=count,
        database=None,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        derandomize=True,
    )
    @given(documents | damaged | st.binary(max_size=60))
    def collect(line: bytes) -> None:
        lines.append(line.replace(b"\n", b" "))

    collect()
    return lines


def is_event(line: bytes) -> bool:
    """The oracle: Python's own JSON parser, as strict as the standard."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(line.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    key = value.get("computer") if isinstance(value, dict) else None
    return key is not None and not isinstance(key, dict | list) and len(line) <= 65_536


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """100,000: the corpus, what hypothesis imagines, and that again with a few bytes put in or taken out."""
    imagined, dice = imagined_lines(3_000), random.Random(7)
    lines = CORPUS + imagined
    while len(lines) < 100_000:
        line = bytearray(dice.choice(imagined))
        for _ in range(dice.randint(0, 2)):
            place = dice.randint(0, len(line))
            line[place : place + dice.randint(0, 2)] = dice.choices(FRAGMENTS, k=dice.randint(0, 2))
        lines.append(bytes(line))
    return lines


def received(line: bytes) -> bytes:
    """A line as the stock socket source hands it on: decoded, one CR before the LF taken away."""
    return line.removesuffix(b"\r").decode("utf-8", "replace").encode()


def test_hostile_lines(
    stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job], lines: list[bytes]
) -> None:
    sent = [line for line in lines if line.removesuffix(b"\r")]
    events = [line for line in sent if is_event(line) and "\ufffd" not in line.decode()]
    assert len(events) > 5_000
    with Feeder([b"\n\n" + b"\n".join(lines) + b"\n"]) as feeder:
        job = submit(feeder.port, "--source", "socket")
        processed = read_topic(stack, topics[0], len(events), 120)
        rejected = read_topic(stack, topics[1], len(sent) - len(events))
        assert len(processed) + len(rejected) == len(sent)  # in = out + rejected
        assert job.failures() == ""
    # Jackson refuses what Python reads: a nesting of 1,000, a number of 1,000 digits.
    unexpected = {record.value for record in processed} - {received(line) for line in events}
    assert unexpected == set()
    refused = {received(line)[:900_000] for line in events} - {record.value for record in processed}
    assert all(line.startswith(b'{"n":') for line in refused), refused
    assert {record.headers["reason"].decode() for record in rejected} == {
        "not-json",
        "not-an-object",
        "missing:computer",
        "too-long",
    }


def test_fields_of_nested_events_from_several_endpoints(
    stack: RunningStack, topics: tuple[str, str], submit: Callable[..., Job]
) -> None:
    good = {
        "@timestamp": "2026-11-21T09:28:24.177Z",
        "host": {"name": "WS-1"},
        "event": {"code": "4624"},
        "winlog": {"channel": "Security", "opcode": None},
    }
    late = good | {"@timestamp": "2026-11-21T11:28:24.177+02:00"}
    plain = good | {"@timestamp": "2026-11-21T09:28:24Z"}
    bad = {
        "bad-timestamp": [
            good | {"@timestamp": value}
            for value in ("soon", "2026-13-01T00:00:00Z", "9999-01-01T00:00:00Z", "1960-01-01T00:00:00Z", 5)
        ],
        "missing:event.code": [good | {"event": {}}, good | {"event": 1}],
        "missing:host.name": [good | {"host": {}}],
        "missing:@timestamp": [{name: value for name, value in good.items() if name != "@timestamp"}],
    }
    first = [good, late, plain]
    second = [event for events in bad.values() for event in events]
    script = [b"".join(json.dumps(event).encode() + b"\n" for event in events) for events in (first, second)]
    with Feeder([script[0]]) as one, Feeder([script[1]]) as other:
        submit(
            one.port, "--hostname", f"127.0.0.1:{one.port},127.0.0.1:{other.port}",
            "--key-field", "host.name", "--event-timestamps", "--timestamp-field", "@timestamp",
            "--require", "event.code", "--headers", "winlog.channel,winlog.opcode,event.code",
        )  # fmt: skip
        processed = read_topic(stack, topics[0], len(first), 120)
        rejected = read_topic(stack, topics[1], len(second))
    milliseconds = 1_795_253_304_177
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
    result = stack.flink_run(*no_topics, *options)
    assert result.returncode == 31
    assert reason in result.stdout + result.stderr
    assert len(stack.rest("/jobs")["jobs"]) == jobs
