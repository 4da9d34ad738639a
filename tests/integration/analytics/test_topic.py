"""Questions over a topic: the last rows equal plain Python's, from three partitions, after a kill -9."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attacked
import oracle
import pytest
from confluent_kafka import Producer
from reading import read_topic
from running import BIN, REPOSITORY, Job, RunningStack, free_ports, run, wait_until

from analytics.answers import primary_key
from analytics.hosts import read_hosts
from local_stack import processes
from local_stack.broker import kafka_objects

pytestmark = pytest.mark.integration

JOB = str(REPOSITORY / "analytics" / "job.py")
HOSTS = dict(read_hosts(REPOSITORY / "analytics" / "hosts.csv"))
QUESTIONS = (
    "level_counts", "level_windows", "error_burst", "brute_force",
    "top_accounts", "logon_sessions", "enriched", "archive",
)  # fmt: skip
OPTIONS = (
    "--delivery-guarantee", "exactly-once", "--checkpoint-interval", "1", "--set", "error_burst.threshold=4",
    "--archive-part-seconds", "2",
)  # fmt: skip
LATENESS = 10_000
HOURS_LATER = 3

Answer = Callable[[list[attacked.Event]], oracle.Rows]
WINDOWED: dict[str, Answer] = {
    "events_by_level_5m": oracle.level_windows,
    "top_5m": oracle.top_accounts,
    "logon_sessions": oracle.logon_sessions,
    "alerts": lambda events: oracle.error_burst(events, 4) | oracle.brute_force(events),
}
RUNNING: dict[str, Answer] = {
    "events_by_level": oracle.level_counts,
    "events_enriched": lambda events: oracle.enriched(events, HOSTS),
}


@dataclass(frozen=True)
class Asked:
    """`closing` has moved the watermark on past all windows before `late` came."""

    stack: RunningStack
    job: Job
    events: list[attacked.Event]
    closing: list[attacked.Event]
    late: list[attacked.Event]
    archive: Path

    def rows(self, result: str) -> oracle.Rows:
        """The last row of every key, as committed; no row was taken back."""
        found: oracle.Rows = {}
        for record in read_topic(self.stack, result, 0, isolation="read_committed"):
            row = json.loads(record.value)
            assert record.key is not None
            assert json.loads(record.key) == {name: row[name] for name in primary_key(result)}
            found[tuple(row[name] for name in primary_key(result))] = row
        return found


def _yesterday(seed: int, count: int) -> list[attacked.Event]:
    """At most 5 s out of order."""
    start = (datetime.now(timezone.utc) - timedelta(days=1)).replace(microsecond=0)
    dice = random.Random(seed)
    events = attacked.events(seed, count, start)
    return sorted(events, key=lambda event: event["ms"] + dice.randrange(5_000))


def _send(stack: RunningStack, topic: str, events: Iterable[attacked.Event], partition: int = -1) -> None:
    """As the bridge would: key, value, and the event's time as the record's."""
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    for event in events:
        producer.produce(
            topic, event["line"], key=event["computer"], timestamp=event["ms"], partition=partition
        )
    assert producer.flush(60) == 0


def _ask(stack: RunningStack, *options: str) -> Job:
    """Submits analytics/job.py detached."""
    answer = stack.flink_run(*options, user="analytics", program=JOB)
    assert "JobID " in answer.stdout, answer.stdout + answer.stderr
    return Job(stack, answer.stdout.partition("JobID ")[2].split()[0], answer.stdout)


@pytest.fixture(scope="module")
def asked(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """All questions in one job over three partitions: half of the events, kill -9, the rest, late ones."""
    topic, _ = stack.create_topics("asked")
    archive = tmp_path_factory.mktemp("archive")
    events = _yesterday(7, 1_500)
    # A later event in every partition closes all windows and sessions.
    closing = [
        attacked.moved(events[-1], HOURS_LATER * 3_600_000, computer=f"WS-{n}", event_id=1, level="Verbose")
        for n in range(3)
    ]
    late = [attacked.moved(event, 0, record_id=990_000 + n) for n, event in enumerate(events[:20])]
    _send(stack, topic, events[:700])
    job = _ask(
        stack, ",".join(QUESTIONS), "--kafka-topic", topic, "--archive-path", archive.as_uri(), *OPTIONS
    )
    this = Asked(stack, job, events, closing, late, archive)
    wait_until(lambda: this.rows("events_enriched"), f"the first answers; {job.failures()}", 120)
    _kill_taskmanager(stack)
    _send(stack, topic, events[700:])
    for partition, event in enumerate(closing):
        _send(stack, topic, [event], partition)
    wait_until(lambda: this.rows("events_by_level_5m"), f"windows close; {job.failures()}", 120)
    _send(stack, topic, late, 0)
    yield this
    job.cancel()


def _kill_taskmanager(stack: RunningStack) -> None:
    daemon = next(each for each in processes.recorded(stack.stack) if each.name == "taskmanager-1")
    process = daemon.process()
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait(30)


@pytest.mark.parametrize("result", [*WINDOWED, *RUNNING])
def test_the_rows_of_every_question_equal_plain_pythons(asked: Asked, result: str) -> None:
    open_too = asked.closing if result in RUNNING else []
    wanted = (WINDOWED | RUNNING)[result]([*asked.events, *open_too])
    assert wanted
    wait_until(lambda: asked.rows(result).keys() >= wanted.keys(), f"all rows of {result}", 90)
    wait_until(lambda: asked.rows(result) == wanted or None, f"{result} as plain Python has it", 30)


def test_the_data_holds_what_is_asked_for(asked: Asked) -> None:
    assert {row["kind"] for row in oracle.brute_force(asked.events).values()} == {"guessing", "spray"}
    assert oracle.error_burst(asked.events, 4)
    assert asked.job.restored() >= 1


def test_late_events_are_told_one_by_one(asked: Asked) -> None:
    wanted = {
        (event["computer"], event["source"], event["record_id"]): (
            oracle.iso(event["ms"]),
            (asked.closing[0]["ms"] - LATENESS - event["ms"]) // 1000,
        )
        for event in asked.late
    }

    def told() -> dict[Any, Any]:
        rows = asked.rows("events_late").items()
        return {key: (row["event_time"], row["seconds_late"]) for key, row in rows}

    wait_until(lambda: len(told()) >= len(wanted), "the late events are told", 90)
    assert told() == wanted


def test_the_archive_holds_every_line_once(asked: Asked) -> None:
    everything = sorted(event["line"] for event in (*asked.events, *asked.closing, *asked.late))
    wait_until(lambda: len(_archived(asked.archive)) >= len(everything), "the archive is whole", 90)
    assert sorted(_archived(asked.archive)) == everything


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


def test_one_job_reads_the_topic_once_and_shows_no_password(asked: Asked) -> None:
    vertices = asked.stack.rest(f"/jobs/{asked.job.job_id}")["vertices"]
    sources = {vertex["name"] for vertex in vertices if vertex["name"].startswith("Source")}
    assert sum("event_documents" in name for name in sources) == 1
    secret = (asked.stack.stack.secrets / "analytics").read_text()
    for path in ("", "/config", "/plan"):
        assert secret not in json.dumps(asked.stack.rest(f"/jobs/{asked.job.job_id}{path}"))


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
    (line,) = [line for line in answer.stdout.splitlines() if line.startswith("error: ")]
    assert said in line
    assert "Traceback" not in answer.stdout + answer.stderr


def test_the_sql_client_asks_a_live_topic(
    stack: RunningStack, topics: tuple[str, str], tmp_path: Path
) -> None:
    events = _yesterday(2, 300)
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
        lines = answer.stdout.splitlines()
        assert any(row["level"] in line and f" {row['events']} |" in line for line in lines), answer.stdout
    secret = (stack.stack.secrets / "analytics").read_text()
    assert secret not in answer.stdout + answer.stderr
    assert secret not in (stack.stack.directory / "flink" / "tables.sql").read_text()
    assert secret not in (stack.stack.logs / "sql-gateway.log").read_text()
