"""The status screen from reports, and from a real metrics page of the producer."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from local_stack.health.doctor_flink import endpoints
from local_stack.health.jobs import Job
from local_stack.health.producer import Client, Producer, parse
from local_stack.health.report import Group, Part, Report, Topic
from local_stack.health.report_view import as_screen

JOB = Job("win-event-bridge", "RUNNING", "ab", 4000.0, 2, 70, 1, 3.25, 0.04, 553, 123456)
REPORT = Report(
    at=100.0,
    parts=[Part("kafka-1", "running", 1, "127.0.0.1:9092"), Part("jobmanager", "stopped", None, "")],
    topics=[Topic("events_processed", 3, 5000, 6000, 0.2)],
    groups=[Group("win-event-x", "STABLE", 2, 1234)],
    jobs=[JOB],
    producer=Producer("127.0.0.1:9998", 9000, 99.6, [Client("127.0.0.1:5", 7)]),
    problems=["Flink does not answer: refused"],
)
PAGE = """# HELP win_event_events_total Events generated, by channel and level.
# TYPE win_event_events_total counter
win_event_events_total{level="Information",source="Security"} 108.0
win_event_events_total{level="Error",source="System"} 2.0
# HELP win_event_rate_achieved Events per second over the last ten seconds.
# TYPE win_event_rate_achieved gauge
win_event_rate_achieved 49.5
# HELP win_event_client_lag_events Events behind, about.
# TYPE win_event_client_lag_events gauge
win_event_client_lag_events{client="127.0.0.1:41000"} 12.0
"""


def _screen(now: Report, before: Report | None = None) -> str:
    console = Console(file=io.StringIO(), width=150)
    with console.capture() as captured:
        console.print(as_screen(now, before))
    return captured.get()


def test_everything_of_a_report_is_on_the_screen() -> None:
    screen = _screen(REPORT)
    for words in (
        "kafka-1",
        "stopped",
        "9,000",
        "127.0.0.1:5",
        "5,000",
        "1,234",
        "123,456",
        "1 h 6 min",
        "3.2 s",
    ):
        assert words in screen
    assert "Flink does not answer: refused" in screen


def test_rates_come_from_what_was_written_between_two_reports() -> None:
    later = replace(REPORT, at=102.0, topics=[replace(REPORT.topics[0], written=6500, records=10)])
    line = next(line for line in _screen(later, REPORT).splitlines() if line.startswith("events_processed"))
    assert line.split() == ["events_processed", "3", "10", "250", "0.2", "s"]


def test_a_first_report_and_one_without_anything_have_no_rates() -> None:
    line = next(line for line in _screen(REPORT).splitlines() if line.startswith("events_processed"))
    assert line.split() == ["events_processed", "3", "5,000", "0.2", "s"]
    assert "win-event-stack up" in _screen(Report(1.0, []))


def test_the_producers_page_is_read() -> None:
    assert parse("here:1", PAGE) == Producer("here:1", 110, 49.5, [Client("127.0.0.1:41000", 12)])


def test_endpoints_are_found_in_a_jobs_name() -> None:
    assert endpoints("win-event-bridge a.example:9999, [::1]:7 to events") == [
        ("a.example", 9999),
        ("::1", 7),
    ]
