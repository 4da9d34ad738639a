"""All questions in one job on the session cluster: the topics' last rows equal plain Python's."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import oracle
import pytest
from confluent_kafka import Producer
from reading import read_topic
from running import BIN, REPOSITORY, Job, RunningStack, free_ports, run, wait_until

from analytics.answers import primary_key
from local_stack.broker import kafka_objects
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

pytestmark = pytest.mark.integration

JOB = str(REPOSITORY / "analytics" / "job.py")
QUESTIONS = (
    "level_counts", "level_windows", "error_burst", "brute_force",
    "top_accounts", "logon_sessions", "enriched", "archive",
)  # fmt: skip
OPTIONS = (
    "--delivery-guarantee", "exactly-once", "--checkpoint-interval", "1", "--set", "threshold=10",
)  # fmt: skip
HOURS_LATER = 3


def _events(count: int) -> list[dict[str, Any]]:
    """Yesterday's events; at most 5 s out of order."""
    start = (datetime.now(timezone.utc) - timedelta(days=1)).replace(microsecond=0)
    settings = GeneratorSettings(
        seed=7, hosts=6, start_time=start, scenarios=("brute-force@60", "password-spray@150")
    )
    generated = generate(settings)
    lines = [next(generated).line.rstrip(b"\n") for _ in range(count)]
    events = [oracle.with_time(json.loads(line)) | {"line": line} for line in lines]
    dice = random.Random(1)
    return sorted(events, key=lambda event: event["ms"] + dice.randrange(5_000))


def _later(event: dict[str, Any], milliseconds: int, **changes: Any) -> dict[str, Any]:
    """The same event at another time."""
    moved = {k: v for k, v in event.items() if k not in ("ms", "line")} | changes
    ms = event["ms"] + milliseconds
    moved["timestamp"] = f"{oracle._EPOCH + timedelta(milliseconds=ms):%Y-%m-%dT%H:%M:%S.%f}0Z"
    return oracle.with_time(moved) | {"line": json.dumps(moved, separators=(",", ":")).encode()}


def _send(stack: RunningStack, topic: str, events: Iterable[dict[str, Any]], partition: int = -1) -> None:
    """As the bridge would: key, value, and the event's time as the record's."""
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    for event in events:
        producer.produce(
            topic, event["line"], key=event["computer"], timestamp=event["ms"], partition=partition
        )
    assert producer.flush(60) == 0


@pytest.fixture
def ask(stack: RunningStack) -> Iterable[Callable[..., Job]]:
    """Submits analytics/job.py detached; cancels it after the test."""
    jobs: list[Job] = []

    def start(*options: str) -> Job:
        answer = stack.flink_run(*options, user="analytics", program=JOB)
        assert "JobID " in answer.stdout, answer.stdout + answer.stderr
        jobs.append(Job(stack, answer.stdout.partition("JobID ")[2].split()[0], answer.stdout))
        return jobs[-1]

    yield start
    for job in jobs:
        job.cancel()


def _rows(stack: RunningStack, result: str) -> oracle.Rows:
    """The last row of every key, as committed."""
    rows: oracle.Rows = {}
    for record in read_topic(stack, result, 0, isolation="read_committed"):
        row = json.loads(record.value)
        assert record.key is not None
        assert json.loads(record.key) == {name: row[name] for name in primary_key(result)}
        rows[tuple(row[name] for name in primary_key(result))] = row
    return rows


def test_all_questions_at_once(
    stack: RunningStack, topics: tuple[str, str], ask: Callable[..., Job], tmp_path: Path
) -> None:
    events = _events(4_000)
    # A later event in every partition moves the watermark on, so that all windows and sessions close.
    closing = [
        _later(events[-1], HOURS_LATER * 3_600_000, computer=f"WS-{n}", event_id=1, level="Verbose")
        for n in range(3)
    ]
    late = _later(events[0], 0, record_id=999_999)
    archive = tmp_path / "archive"
    job = ask(",".join(QUESTIONS), "--kafka-topic", topics[0], "--archive-path", archive.as_uri(), *OPTIONS)
    _send(stack, topics[0], events)
    for partition, event in enumerate(closing):
        _send(stack, topics[0], [event], partition)
    wait_until(lambda: _rows(stack, "events_by_level_5m"), f"windows close; {job.failures()}", 120)
    _send(stack, topics[0], [late], 0)

    wait_until(lambda: _rows(stack, "events_late"), "the late event is told", 60)
    expected: dict[str, Callable[[], oracle.Rows]] = {
        "events_by_level": lambda: oracle.level_counts([*events, *closing]),
        "events_by_level_5m": lambda: oracle.level_windows(events),
        "top_5m": lambda: oracle.top_accounts(events),
        "logon_sessions": lambda: oracle.logon_sessions(events),
        "events_enriched": lambda: oracle.enriched(events, {}),
        "alerts": lambda: oracle.error_burst(events, 10) | oracle.brute_force(events, 10),
    }
    for result, rows in expected.items():
        wanted = rows()
        assert wanted
        wait_until(lambda result=result, wanted=wanted: _rows(stack, result) == wanted, result, 60)
    (told,) = _rows(stack, "events_late").values()
    assert (told["computer"], told["record_id"]) == (late["computer"], 999_999)
    assert told["event_time"] == oracle.iso(late["ms"])
    assert told["seconds_late"] == (closing[0]["ms"] - 10_000 - late["ms"]) // 1000

    everything = sorted(event["line"] for event in (*events, *closing, late))
    wait_until(lambda: sorted(_archived(archive)) == everything, "the archive is whole", 60)
    sources = {vertex["name"] for vertex in stack.rest(f"/jobs/{job.job_id}")["vertices"]}
    assert sum("event_documents" in name and name.startswith("Source") for name in sources) == 1
    secret = (stack.stack.secrets / "analytics").read_text()
    for path in ("", "/config", "/plan"):
        assert secret not in json.dumps(stack.rest(f"/jobs/{job.job_id}{path}"))


def _archived(folder: Path) -> list[bytes]:
    """Every line of every finished part, each in the folder that its time and channel name."""
    lines: list[bytes] = []
    for part in folder.glob("day=*/hour=*/channel=*/[!._]*"):
        found = part.read_bytes().splitlines()
        for event in map(json.loads, found):
            moment = event["timestamp"]
            place = f"day={moment[:10]}/hour={moment[11:13]}/channel={event['source']}"
            assert str(part.parent).endswith(place)
        lines += found
    return lines


@pytest.mark.parametrize(
    ("options", "user", "said"),
    [
        (["--kafka-topic", "not_there"], "analytics", "not_there"),
        ([], "bridge", "Not authorized"),
        (["--result-topic", "events_by_level=private"], "analytics", "private"),
    ],
    ids=["missing topic", "may not read", "may not write"],
)
def test_what_kafka_would_refuse_is_said_before_submission(
    stack: RunningStack, options: list[str], user: str, said: str
) -> None:
    answer = stack.flink_run("level_counts", *options, user=user, program=JOB)
    assert "JobID" not in answer.stdout
    (line,) = [line for line in answer.stderr.splitlines() if "error: " in line]
    assert said in line
    assert "Traceback" not in answer.stdout + answer.stderr


def test_the_sql_client_asks_a_live_topic(
    stack: RunningStack, topics: tuple[str, str], tmp_path: Path
) -> None:
    events = _events(500)
    _send(stack, topics[0], events)
    stack.up("--sql", "--sql-port", str(free_ports(1)[0]))
    script = tmp_path / "questions.sql"
    script.write_text(
        "SELECT `level`, COUNT(*) AS events FROM events GROUP BY `level`;\n"
        "SELECT COUNT(*) AS refused FROM rejected;\n"
    )
    variables = {"KAFKA_TOPIC": topics[0], "WIN_EVENT_BOUNDED": "true"}
    answer = run(BIN / "win-event-stack", "sql", "-f", script, env={**stack.environment, **variables})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for row in oracle.level_counts(events).values():
        cells = [cell.strip() for line in answer.stdout.splitlines() for cell in [line]]
        assert any(row["level"] in line and f" {row['events']} |" in line for line in cells), answer.stdout
    secret = (stack.stack.secrets / "analytics").read_text()
    assert secret not in answer.stdout + answer.stderr
    assert secret not in (stack.stack.directory / "flink" / "tables.sql").read_text()
    assert secret not in (stack.stack.logs / "sql-gateway.log").read_text()
