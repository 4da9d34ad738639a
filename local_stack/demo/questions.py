"""Asks two questions of analytics/ about all events in the topic, and reads the answers."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from local_stack import processes
from local_stack.cluster import flink_run, submission
from local_stack.health.peek import Peeked, all_of, newest_of_each_key
from local_stack.layout import Stack
from local_stack.processes import StartError
from local_stack.stack import Reporter
from toolkit import flink_rest

ANSWERS = {"level_windows": "events_by_level_5m", "brute_force": "alerts"}
"""Question -> the topic of its answers."""

_SECONDS = 120.0


def ask(demo_stack: Stack, topic: str, reporter: Reporter) -> dict[str, list[Peeked]]:
    """The last row of every key, for each question. Raises StartError."""
    reporter.doing("asking questions about the topic: analytics/job.py")
    wanted = submission.program(["analytics", ",".join(ANSWERS), "--bounded", "--kafka-topic", topic])
    said: list[str] = []
    try:
        said += submission.submit(demo_stack, wanted, ())
    except StartError as error:
        raise StartError("\n".join([*said, str(error)])) from error
    (job,) = filter(None, map(flink_run.job_id, said))
    processes.wait_for(
        lambda: _over(demo_stack, job), _SECONDS, "not seen: the questions are answered", _log(demo_stack)
    )
    return {
        name: newest_of_each_key(filter(partial(_is_answer, name), all_of(demo_stack, result)))
        for name, result in ANSWERS.items()
    }


def _is_answer(question: str, row: Peeked) -> bool:
    """Whether a record is an answer: detection and other questions write to the topic of alerts, too."""
    answer = json.loads(row.value or b"{}")
    return "rule_id" not in answer and answer.get("rule", question) == question


def _over(demo_stack: Stack, job: str) -> bool:
    (state,) = [str(each["state"]) for each in flink_rest.jobs(demo_stack.flink_url) if each["jid"] == job]
    if state in ("FAILED", "CANCELED"):
        raise StartError(f"analytics/job.py: {state}", _log(demo_stack))
    return state == "FINISHED"


def _log(demo_stack: Stack) -> Path:
    return demo_stack.logs / "taskmanager-1.log"
