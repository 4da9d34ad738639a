"""What status and doctor warn about, and what they leave out."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from local_stack.health.jobs import Failure, Job, Place, innermost
from local_stack.health.report import Part, Report
from local_stack.health.report_view import as_screen
from local_stack.health.warnings import CheckResult, Doomed, of_job, of_retention, of_transaction

HEALTHY = Job(
    "win-event-bridge collector-07.dc1.example.com:9999, collector-08.dc1.example.com:9999 to events_all",
    "RUNNING",
    "ab",
    uptime=4000.0,
    restarts=0,
    checkpoints=70,
    failed_checkpoints=1,
    checkpoint_age=3.0,
    checkpoint_duration=0.04,
    checkpoint_size=553,
    written=1_234_567,
    events=1000,
    rejected=1000,
    places=[Place("a:1", True, 59.0), Place("b:1", True, None)],
    failures=[Failure(1.0, "refused"), Failure(2.0, "refused"), Failure(3.0, "reset")],
)


def _about(**changes: object) -> list[str]:
    return [warned.what for warned in of_job(replace(HEALTHY, **changes))]  # type: ignore[arg-type]


def test_a_healthy_job_is_no_reason_to_warn() -> None:
    assert _about() == []
    assert _about(state="FINISHED", rejected=5000) == []


def test_more_rejected_than_taken_is_told_with_the_most_frequent_reason_and_the_cure() -> None:
    reasons = {"not-json": 3, "missing-computer": 2998}
    (warned,) = of_job(replace(HEALTHY, rejected=3001, reasons=reasons))
    assert "75% of 4,001 lines were REJECTED, most of them as missing-computer" in warned.what
    assert "--key-field" in warned.remedy
    assert _about(events=0, rejected=9) == []  # too few to say so


def test_rejected_lines_of_the_last_minute_are_told_after_many_good_ones() -> None:
    lately = replace(HEALTHY, events=10_000_000, reasons={"not-json": 20}, mostly_rejected=["10.0.0.1:9999"])
    (warned,) = of_job(lately)
    assert "more than half of the last lines from 10.0.0.1:9999 were REJECTED, most of them as not-json" in (
        warned.what
    )


def test_a_job_that_fails_the_same_way_without_a_checkpoint_between_is_named() -> None:
    same = [Failure(at, "IOException: boom") for at in (10.0, 20.0, 30.0)]
    assert _about(failures=same, checkpoint_age=25.0) == [
        f"{HEALTHY.name} restarts at the same place again and again: IOException: boom"
    ]
    assert _about(failures=same, checkpoint_age=19.0) == []  # it got further
    assert len(_about(failures=same, checkpoint_age=None, state="RESTARTING")) == 1


def test_a_refusal_is_the_same_although_its_words_tell_the_time() -> None:
    """Kafka's own messages about a record that is too old, and about a delivery that took too long."""
    texts = [
        "InvalidTimestampException: Timestamp 1546300800000 of message with offset {} is out of range. The "
        "timestamp should be within [{}, {}]",
        "TimeoutException: Expiring {} record(s) for events-{}:120000 ms has passed since batch creation",
        "IOException: cannot use [B@{}f of task {}",
    ]
    for text in texts:
        times = [Failure(at, text.format(at, at + 7, at * 2)) for at in (10, 20, 30)]
        assert len(_about(failures=times, checkpoint_age=25.0)) == 1
    different = [Failure(at, f"IOException: {word}") for at, word in ((10.0, "a"), (20.0, "b"), (30.0, "a"))]
    assert _about(failures=different, checkpoint_age=25.0) == []


def test_a_job_that_keeps_failing_the_same_way_is_named_although_it_makes_checkpoints() -> None:
    same = [Failure(at, "IOException: boom") for at in (10.0, 15.0, 20.0, 25.0, 30.0, 35.0)]
    assert _about(failures=same, checkpoint_age=1.0, state="RESTARTING") == [
        f"{HEALTHY.name} restarts again and again: IOException: boom"
    ]
    assert _about(failures=same, checkpoint_age=1.0) == []  # it has recovered
    assert _about(failures=same[1:], checkpoint_age=1.0, state="RESTARTING") == []


def test_a_connection_that_is_established_and_silent_is_named() -> None:
    away = [Place("b:1", False, 900.0)]
    assert _about(places=away) == [f"{HEALTHY.name} is not connected to b:1, and tries again"]
    assert _about(places=away, uptime=30.0) == []
    (warned,) = _about(places=[Place("a:1", True, 75.0), Place("b:1", True, None)])
    assert "connected to a:1, and no line came for 75 s" in warned


def test_a_checkpoint_that_failed_last_is_explained() -> None:
    assert _about(checkpoint_failure="expired") == [f"{HEALTHY.name}: the newest checkpoint failed: expired"]


def test_retention_matters_where_somebody_has_not_read_or_most_is_old() -> None:
    quiet = Doomed("events", records=40, of=100, seconds=7200, unread={"done": 0})
    assert list(of_retention(quiet)) == []
    (behind,) = of_retention(replace(quiet, unread={"done": 0, "slow": 7}))
    assert behind.what == "events: slow has not read 7 records that retention deletes within 2.0 h"
    (old,) = of_retention(replace(quiet, records=51))
    assert "51 of 100 records" in old.what


def test_a_hanging_transaction_is_named_with_what_it_hides_and_what_ends_it() -> None:
    warned = of_transaction("win-event-bridge-0-1", {"events": 5}, "kafka-transactions.sh")
    assert "win-event-bridge-0-1" in warned.what
    assert "5 of events" in warned.what
    assert "--transactionalId win-event-bridge-0-1" in warned.remedy


def test_the_innermost_cause_is_what_counts() -> None:
    trace = "RuntimeException: outer\n\tat a\nCaused by: A: middle\n\tat b\nCaused by: B: inner\n\tat c\n"
    assert innermost(trace) == "B: inner"
    assert innermost("RuntimeException: alone\n\tat a") == "RuntimeException: alone"


def test_the_screen_fits_100_columns_with_the_whole_name_of_a_job_and_every_warning() -> None:
    report = Report(
        1.0,
        [Part("kafka-1", "running", 1, "127.0.0.1:9092")],
        jobs=[HEALTHY],
        warnings=[CheckResult("this happens", False, "do that")],
    )
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as captured:
        console.print(as_screen(report))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 100
    column = [line[:40].split("  ")[0].strip() for line in lines]
    assert HEALTHY.name.replace(" ", "") in "".join(column).replace(" ", "")
    assert lines[-2:] == ["! this happens", "  → do that"]
