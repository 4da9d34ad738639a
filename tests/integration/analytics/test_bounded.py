"""--bounded reads the records that a topic of one partition has now; and the same window without SQL."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import attacked
import pytest
from asking import RUNNING, THRESHOLD, WINDOWED, ask, rows, send, some_events
from reading import read_topic
from running import QUICK_JVM, REPOSITORY, RunningStack, run, wait_until

pytestmark = pytest.mark.integration

Filled = tuple[RunningStack, str, list[attacked.Event], tuple[str, ...]]

SOME = ("level_counts", "level_windows", "logon_sessions")
ALL = (*SOME, "error_burst", "brute_force", "top_accounts", "enriched")
RESULTS_OF_SOME = ("events_by_level", "events_by_level_5m", "logon_sessions")


# test_files.py asks all questions of files, which end, too; test_topic.py asks all of a topic.
@pytest.fixture(
    scope="module",
    params=[pytest.param(SOME, id="some"), pytest.param(ALL, id="all", marks=pytest.mark.nightly)],
)
def one_partition(stack: RunningStack, request: pytest.FixtureRequest) -> Filled:
    """A topic that these questions have read to its end."""
    questions = request.param
    _, topic = stack.create_topics(f"bounded_{len(questions)}", partitions=1)
    events = some_events(3, 800, days_ago=len(questions))
    send(stack, topic, events)
    threshold = THRESHOLD if "error_burst" in questions else ()
    job = ask(stack, ",".join(questions), "--kafka-topic", topic, "--bounded", *threshold)
    wait_until(lambda: job.state() == "FINISHED", "the job ends", 400, told=job.failures)
    return stack, topic, events, questions


def test_every_answer_is_there_when_the_job_ends(
    one_partition: Filled,
) -> None:
    stack, _, events, questions = one_partition
    day = events[0]["timestamp"][:10]
    answers = WINDOWED | RUNNING
    for result in RESULTS_OF_SOME if questions == SOME else answers:
        answer = answers[result]
        assert rows(stack, result, day) == answer(events), result


def test_the_table_api_of_python_is_a_plan_of_flink(stack: RunningStack, tmp_path: Path) -> None:
    """Names, types and the table of the answers fit; its rows are compared nightly."""
    run_it, plan = 'windows.execute_insert("events_by_level_5m").wait()', "print(statements.explain())"
    program = _program()
    assert run_it in program
    insert = 'statements.add_insert("events_by_level_5m", windows)'
    script = tmp_path / "plan.py"
    script.write_text(
        program.replace(run_it, f"statements = tables.create_statement_set()\n{insert}\n{plan}")
    )
    answer = run(sys.executable, script, env={**stack.shell("analytics"), **QUICK_JVM})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Sink(table=[default_catalog.default_database.events_by_level_5m]" in answer.stdout


@pytest.mark.nightly  # a cluster of its own for one query, whose rows in SQL the first test has
def test_the_table_api_of_python_gives_the_same_rows(one_partition: Filled, tmp_path: Path) -> None:
    stack, topic, events, _ = one_partition
    script = tmp_path / "windows.py"
    script.write_text(_program())
    answer = run(sys.executable, script, env={**stack.shell("analytics"), **QUICK_JVM, "KAFKA_TOPIC": topic})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    day = events[0]["timestamp"][:10].encode()
    told = defaultdict(list)
    for record in read_topic(stack, "events_by_level_5m", 0, isolation="read_committed"):
        if day in record.value:
            told[record.key].append(record.value)
    assert told
    for key, values in told.items():
        of_sql, of_python = values[-2:]
        assert of_sql == of_python, json.loads(key or b"null")


def _program() -> str:
    """The Python program in docs/ANALYTICS.md."""
    page = (REPOSITORY / "docs" / "ANALYTICS.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (program,) = [text for text in blocks if "Tumble.over" in text]
    return str(program)
