"""Questions over a topic: the last rows equal plain Python's, from three partitions, after a kill -9."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asking
import attacked
import jsonschema
import oracle
import pytest
from asking import OPTIONS, QUESTIONS, RUNNING, WINDOWED, archived, ask, closing_events, send, some_events
from reading import read_topic
from running import BIN, Job, RunningStack, run, wait_until

from analytics.schema import FOLDER
from local_stack import processes

pytestmark = pytest.mark.integration

LATENESS = 10_001  # milliseconds: what is late by 10 s just belongs to the answers
RATE = 1_000  # events per second: a job that has just begun reads more than ten times as many


@dataclass(frozen=True)
class Asked:
    """`closing` has moved the watermark past all windows before `late` comes."""

    stack: RunningStack
    topic: str
    job: Job
    events: list[attacked.Event]
    closing: list[attacked.Event]
    late: list[attacked.Event]
    archive: Path

    @property
    def day(self) -> str:
        return self.events[0]["timestamp"][:10]

    def rows(self, result: str) -> oracle.Rows:
        return asking.rows(self.stack, result, self.day)


@pytest.fixture(scope="module")
def asked(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """All questions in one job over three partitions: events at once, kill -9, events at RATE, late ones."""
    topic, _ = stack.create_topics("asked")
    archive = tmp_path_factory.mktemp("archive")
    events = some_events(7, 1_500)
    closing = closing_events(events)
    late = [attacked.moved(event, 0, record_id=990_000 + n) for n, event in enumerate(events[:20])]
    send(stack, topic, events[:700])
    job = ask(stack, QUESTIONS, "--kafka-topic", topic, "--archive-path", archive.as_uri(), *OPTIONS)
    this = Asked(stack, topic, job, events, closing, late, archive)
    wait_until(lambda: this.rows("events_enriched"), "the first answers", told=job.failures)
    _kill_taskmanager(stack)
    send(stack, topic, events[700:], rate=RATE)
    for partition, event in enumerate(closing):
        send(stack, topic, [event], partition)
    wait_until(lambda: this.rows("events_by_level_5m"), "windows close", told=job.failures)
    send(stack, topic, late, 0)
    yield this
    job.cancel()


def _kill_taskmanager(stack: RunningStack) -> None:
    daemon = next(each for each in processes.recorded(stack.stack) if each.name == "taskmanager-1")
    process = daemon.process()
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait(60)


@pytest.mark.parametrize("result", [*WINDOWED, *RUNNING])
def test_the_rows_of_every_question_equal_plain_pythons(asked: Asked, result: str) -> None:
    open_too = asked.closing if result in RUNNING else []
    wanted = (WINDOWED | RUNNING)[result]([*asked.events, *open_too])
    assert wanted
    wait_until(lambda: asked.rows(result).keys() >= wanted.keys(), f"all rows of {result}")
    wait_until(lambda: asked.rows(result) == wanted or None, f"{result} as plain Python has it")


def test_the_data_holds_what_is_asked_for(asked: Asked) -> None:
    assert {row["kind"] for row in oracle.brute_force(asked.events).values()} == {"guessing", "spray"}
    assert oracle.error_burst(asked.events, 4)
    assert asked.job.restored() >= 1


def test_every_record_holds_to_the_schema_of_its_topic(asked: Asked) -> None:
    """The topic of alerts also accepts the results, although detection writes to it."""
    wait_until(lambda: asked.rows("alerts"), "alerts of analytics")
    words = ("--topic", asked.topic, "--group", "win-event-detection-schema", "--bounded")
    answer = run(BIN / "win-event-detect", *words, env=asked.stack.shell("detection"))
    assert answer.returncode == 0, answer.stderr
    writers = set()
    for result in (*WINDOWED, *RUNNING, "events_late"):
        schema = jsonschema.Draft202012Validator(json.loads((FOLDER / f"{result}.json").read_text()))
        for record in read_topic(asked.stack, result, 1, isolation="read_committed"):
            row = json.loads(record.value)
            schema.validate(row)
            writers |= {name for name in ("rule", "rule_id") if name in row}
    assert writers == {"rule", "rule_id"}


def test_late_events_are_told_one_by_one(asked: Asked) -> None:
    wanted = {
        (event["computer"], event["source"], event["record_id"], oracle.iso(event["ms"])): (
            oracle.iso(event["ms"]),
            (asked.closing[0]["ms"] - LATENESS - event["ms"]) // 1000,
        )
        for event in asked.late
    }

    def told() -> dict[Any, Any]:
        rows = asked.rows("events_late").items()
        return {key: (row["event_time"], row["seconds_late"]) for key, row in rows}

    wait_until(lambda: len(told()) >= len(wanted), "the late events are told")
    assert told() == wanted


def test_the_archive_holds_every_line_once(asked: Asked) -> None:
    everything = sorted(event["line"] for event in (*asked.events, *asked.closing, *asked.late))
    wait_until(lambda: len(archived(asked.archive)) >= len(everything), "the archive is whole")
    assert sorted(archived(asked.archive)) == everything


def test_a_committed_row_is_written_once(asked: Asked) -> None:
    """The rows of `enriched` never change, so each key has one record, although the job was killed."""
    records = read_topic(asked.stack, "events_enriched", 1, isolation="read_committed")
    keys = [record.key for record in records if asked.day.encode() in record.value]
    assert len(keys) == len(set(keys)) >= len(asked.events)


def test_one_job_reads_the_topic_once_and_shows_no_password(asked: Asked) -> None:
    vertices = asked.stack.rest(f"/jobs/{asked.job.job_id}")["vertices"]
    sources = {vertex["name"] for vertex in vertices if vertex["name"].startswith("Source")}
    assert sum("event_documents" in name for name in sources) == 1
    secret = (asked.stack.stack.secrets / "analytics").read_text()
    for path in ("", "/config", "/plan"):
        assert secret not in json.dumps(asked.stack.rest(f"/jobs/{asked.job.job_id}{path}"))


def test_lateness_and_what_is_late_again_after_a_restart_are_measured(asked: Asked) -> None:
    # Flink asks its TaskManagers for metrics when it is asked for them: the first answer may be empty.
    job = f"/jobs/{asked.job.job_id}"
    vertices = [vertex["id"] for vertex in asked.stack.rest(job)["vertices"]]

    def measured(name: str) -> bool:
        found = [asked.stack.rest(f"{job}/vertices/{vertex}/subtasks/metrics") for vertex in vertices]
        return any(name in metric["id"] for metrics in found for metric in metrics)

    wait_until(lambda: measured("numLateRecordsDropped"), "late records are counted")

    def event_time() -> float:
        asked_for = [
            f"{job}/vertices/{vertex}/subtasks/metrics?get=currentInputWatermark" for vertex in vertices
        ]
        return max(
            (float(found[0]["max"]) for path in asked_for if (found := asked.stack.rest(path))), default=0
        )

    wait_until(lambda: event_time() > 0, "event time is measured")  # before the first event it is negative


def test_peek_shows_the_last_rows_as_a_table(asked: Asked) -> None:
    environment = asked.stack.environment
    answer = run(BIN / "win-event-stack", "peek", "top_5m", "--last-rows", "-n", "500", env=environment)
    assert answer.returncode == 0, answer.stderr
    head, _, *lines = answer.stdout.splitlines()
    assert head.split() == ["time", "key", *next(iter(asked.rows("top_5m").values()))]
    of_the_day = [
        line for line in lines if f"{asked.day}T" in line
    ]  # the first column is when it was written
    assert len(of_the_day) == len(asked.rows("top_5m"))
    missing = run(BIN / "win-event-stack", "peek", "not_there", env=environment)
    assert missing.returncode == 1
    assert "not_there" in missing.stderr
