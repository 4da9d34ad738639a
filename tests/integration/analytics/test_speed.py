"""The answers do not depend on the rate of the events or on the partitions; some events are late.

Nightly, as each case takes minutes: test_bounded.py reads one partition at full speed, and test_topic.py
reads three at a tenth of it, with late events.
"""

from __future__ import annotations

import asking
import attacked
import oracle
import pytest
from asking import RUNNING, THRESHOLD, WINDOWED, ask, closing_events, send, some_events
from running import RunningStack, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

QUESTIONS = "level_counts,level_windows,error_burst,brute_force,top_accounts,logon_sessions,enriched"
COUNT, LATE = 3_000, 30
A_TENTH = 1_000  # events per second: a job that has just begun reads more than ten times as many


def _late(events: list[attacked.Event]) -> list[attacked.Event]:
    return [attacked.moved(event, 0, record_id=990_000 + n) for n, event in enumerate(events[:LATE])]


def _told(stack: RunningStack, day: str) -> set[tuple[object, ...]]:
    return set(asking.rows(stack, "events_late", day))


def _identity(event: attacked.Event) -> tuple[object, ...]:
    return event["computer"], event["source"], event["record_id"], oracle.iso(event["ms"])


@pytest.mark.parametrize(("partitions", "days_ago"), [(1, 20), (3, 30)])
def test_at_full_speed(stack: RunningStack, partitions: int, days_ago: int) -> None:
    """The topic is read at once: events before the watermark are late and counted; all others are in time."""
    topic, _ = stack.create_topics(f"full_speed_{partitions}", partitions=partitions, keep=True)
    events = some_events(partitions, COUNT, days_ago)
    late, day = _late(events), events[0]["timestamp"][:10]
    send(stack, topic, [*events, *late])
    job = ask(stack, QUESTIONS, "--kafka-topic", topic, "--bounded", *THRESHOLD)
    wait_until(lambda: job.state() == "FINISHED", "the job ends", told=job.failures)
    told = _told(stack, day)
    assert told <= {_identity(event) for event in late}  # all others are in order within --max-lateness
    _equal(stack, day, [event for event in (*events, *late) if _identity(event) not in told], [])


@pytest.mark.parametrize(("partitions", "days_ago"), [(3, 40), (1, 50)])
def test_at_a_tenth_of_it(stack: RunningStack, partitions: int, days_ago: int) -> None:
    """The job reads while events come; the late events come after the end of their windows."""
    topic, _ = stack.create_topics(f"a_tenth_{partitions}", partitions=partitions, keep=True)
    events = some_events(partitions, COUNT, days_ago)
    late, day = _late(events), events[0]["timestamp"][:10]
    closing = closing_events(events)[:partitions]
    # A busy machine may read one partition long after another: that one is not idle.
    job = ask(stack, QUESTIONS, "--kafka-topic", topic, "--idle-timeout", "120", *THRESHOLD)
    try:
        job.wait_until_running()
        send(stack, topic, events, rate=A_TENTH)
        wait_until(lambda: asking.rows(stack, "events_by_level_5m", day), "the first windows are over")
        send(stack, topic, late)
        wanted = {_identity(event) for event in late}
        wait_until(lambda: _told(stack, day) == wanted, "all of them are late")
        for partition, event in enumerate(closing):
            send(stack, topic, [event], partition)
        _equal(stack, day, events, closing)
    finally:
        job.cancel()


def _equal(
    stack: RunningStack, day: str, events: list[attacked.Event], open_too: list[attacked.Event]
) -> None:
    """The last rows become those of plain Python. `open_too`: only in rows that do not wait for a window."""
    for result, answer in (WINDOWED | RUNNING).items():
        wanted: oracle.Rows = answer([*events, *(open_too if result in RUNNING else ())])
        assert wanted, result
        wait_until(lambda r=result, w=wanted: asking.rows(stack, r, day) == w, f"{result} is right")
