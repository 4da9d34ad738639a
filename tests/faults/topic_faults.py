"""Rows of the matrix after the topic: analytics and detection, while the processes that they need are killed.

Their events are written directly to the topic, so that plain Python can compute the right answers.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import asking
import detecting
from faults.experiment import Experiment
from faults.producer_faults import Outcome
from running import PATIENCE, Job, wait_until

from toolkit import flink_rest

SLICES = 3  # of the events; a kill follows each but the last
AWAY_SECONDS = 5.0
_DAYS = count(2)  # each row has a day of its own: the topics of results are shared

Kill = Callable[[Experiment], str]


@dataclass(frozen=True)
class TopicFault:
    """`act` runs the row on a stack in an empty folder. It raises AssertionError if a promise is broken."""

    name: str
    title: str
    act: Callable[[Experiment, Path], Outcome]


def _kill_taskmanager(experiment: Experiment) -> str:
    before = flink_rest.taskmanager_ids(experiment.running.stack.flink_url)
    killed, started = experiment.kill("taskmanager-1"), experiment.revived("taskmanager-1")
    url = experiment.running.stack.flink_url
    wait_until(lambda: flink_rest.taskmanager_ids(url) - before, "the new TaskManager is registered")
    return f"TaskManager {killed} → {started}"


def _kill_broker(experiment: Experiment) -> str:
    killed = experiment.kill("kafka-1")
    experiment.load(AWAY_SECONDS)
    return f"broker {killed} → {experiment.start_broker()}"


def _kill_both(experiment: Experiment) -> str:
    return f"{_kill_broker(experiment)}, {_kill_taskmanager(experiment)}"


def _sliced(events: Sequence[Any]) -> Iterator[Sequence[Any]]:
    size = -(-len(events) // SLICES)
    return (events[begin : begin + size] for begin in range(0, len(events), size))


def _answers_stay_right(kill: Kill) -> Callable[[Experiment, Path], Outcome]:
    """All questions in one job, exactly once: the last rows, and the archive, are those of plain Python."""

    def act(experiment: Experiment, folder: Path) -> Outcome:
        stack = experiment.running
        events = asking.some_events(experiment.seed, 1_500, next(_DAYS))
        closing, day = asking.closing_events(events), events[0]["timestamp"][:10]
        topic, _ = stack.create_topics(folder.name.replace("-", "_"))
        words = ("--kafka-topic", topic, "--archive-path", (folder / "archive").as_uri())
        with _running(asking.ask(stack, asking.QUESTIONS, *words, *asking.OPTIONS)) as job:
            proofs = []
            for part in _sliced(events):
                before = len(asking.rows(stack, "events_enriched", day))
                asking.send(stack, topic, part)
                wait_until(
                    lambda before=before: len(asking.rows(stack, "events_enriched", day)) > before,
                    "answers", told=job.failures,
                )  # fmt: skip
                if len(proofs) < SLICES - 1:
                    proofs.append(kill(experiment))
            for partition, event in enumerate(closing):
                asking.send(stack, topic, [event], partition)
            figures = {"events": len(events) + len(closing)}
            for result, answer in (asking.WINDOWED | asking.RUNNING).items():
                wanted = answer([*events, *(closing if result in asking.RUNNING else ())])
                _become_equal(lambda result=result: asking.rows(stack, result, day), wanted, result)
                figures[result] = len(wanted)
            lines = sorted(event["line"] for event in (*events, *closing))
            _become_equal(lambda: sorted(asking.archived(folder / "archive")), lines, "the archive")
            proofs.append(f"restarts {job.restored()}")
        return Outcome("; ".join(proofs), figures)

    return act


def _alerts_stay_right(experiment: Experiment, folder: Path) -> Outcome:
    """Kill TaskManager and broker of detection/job.py: each alert's last record is that of one process."""
    stack, start = experiment.running, detecting.noon(next(_DAYS))
    events = detecting.attacks(8_000, experiment.seed, start)
    wanted = detecting.expected(events)
    topic, _ = stack.create_topics(folder.name.replace("-", "_"))
    with _running(detecting.submit(stack, topic)) as job:
        proofs = []
        for part in _sliced(events):
            before = detecting.counted(stack, start)
            detecting.send(stack, topic, part)
            wait_until(  # a new alert, or an earlier one that goes on
                lambda before=before: detecting.counted(stack, start) != before,
                "alerts", told=job.failures,
            )  # fmt: skip
            if len(proofs) < SLICES - 1:
                proofs.append(_kill_both(experiment))
        detecting.close(stack, topic, start)
        _become_equal(lambda: detecting.counted(stack, start), wanted, "alerts")
        proofs.append(f"restarts {job.restored()}")
    return Outcome("; ".join(proofs), {"events": len(events), "alerts": len(wanted)})


def _alerts_of_a_process_stay_right(experiment: Experiment, folder: Path) -> Outcome:
    """In each slice, kill the broker of a running win-event-detect, and then that; compare again."""
    stack, start = experiment.running, detecting.noon(next(_DAYS))
    events = detecting.attacks(8_000, experiment.seed, start)
    wanted = detecting.expected(events)
    topic, _ = stack.create_topics(folder.name.replace("-", "_"))
    group, sent, proofs = f"win-event-detection-{topic}", 0, []
    words = ("--topic", topic, "--group", group, "--max-lateness", "10")
    for part in _sliced(events):
        process = detecting.Detection(stack, folder, *words)
        half = len(part) // 2
        detecting.send(stack, topic, part[:half])
        taken = wait_until(
            lambda sent=sent: max(detecting.committed(stack, topic, group) - sent, 0), "it reads"
        )
        proofs.append(_kill_broker(experiment))
        detecting.send(stack, topic, part[half:])
        assert process.process.poll() is None, process.log.read_text()
        process.stop(signal.SIGKILL)
        proofs.append(
            f"win-event-detect {process.process.pid} killed, {sent + taken} of {sent + len(part)} committed"
        )
        sent += len(part)
    last = detecting.Detection(stack, folder, *words, "--bounded")
    assert last.process.wait(PATIENCE) == 0, last.log.read_text()
    _become_equal(lambda: detecting.counted(stack, start), wanted, "alerts")
    return Outcome("; ".join(proofs), {"events": len(events), "alerts": len(wanted)})


@contextmanager
def _running(job: Job) -> Iterator[Job]:
    try:
        yield job
    finally:
        job.cancel()


def _become_equal(found: Callable[[], Any], wanted: Any, what: str) -> None:
    assert wanted, f"{what}: nothing to compare"
    try:
        wait_until(lambda: found() == wanted, f"{what} as plain Python has it")
    except AssertionError as error:
        raise AssertionError(f"{error}: {_difference(found(), wanted)}") from None


def _difference(found: Any, wanted: Any) -> str:
    if not isinstance(wanted, dict):
        return f"{len(found)} found, {len(wanted)} wanted"
    missing, more = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    other = [key for key in wanted.keys() & found.keys() if found[key] != wanted[key]]
    examples = [(key, found.get(key), wanted.get(key)) for key in (*missing, *more, *other)][:2]
    return f"{len(missing)} missing, {len(more)} too many, {len(other)} different: {examples}"


TOPIC_FAULTS = (
    TopicFault(
        "analytics-taskmanager-kill",
        f"all questions in one job, TaskManager {SLICES - 1} × kill -9",
        _answers_stay_right(_kill_taskmanager),
    ),
    TopicFault(
        "analytics-broker-kill",
        f"all questions in one job, broker {SLICES - 1} × kill -9, back after {AWAY_SECONDS:.0f} s",
        _answers_stay_right(_kill_broker),
    ),
    TopicFault(
        "detection-kill",
        f"win-event-detect and the broker {SLICES} × kill -9, amid attacks",
        _alerts_of_a_process_stay_right,
    ),
    TopicFault(
        "detection-flink-kill",
        f"detection/job.py, broker and TaskManager {SLICES - 1} × kill -9, amid attacks",
        _alerts_stay_right,
    ),
)
