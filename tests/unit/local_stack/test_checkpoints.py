"""The checkpoint or savepoint from which a job continues, found by its name; and which state is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_stack.cluster.checkpoints import Job, job_ids, newest, start
from local_stack.cluster.submission import UsageError, describe, program
from local_stack.layout import Stack

A, B, OTHER = "a" * 32, "b" * 32, "c" * 32
# As Flink writes them: a name with its length before it, twice.
_HEAD = b"Ig-\0\0\0\6\0\0"


def _snapshot(folder: Path, taken: int, *positions: str, complete: bool = True) -> Path:
    folder.mkdir(parents=True)
    if complete:
        names = [f"Source: read {place}".encode() for place in positions]
        names += [f"read {place}".encode() for place in positions]
        text = b"".join(len(name).to_bytes(2, "big") + name for name in (*names, b"kafka sink"))
        (folder / "_metadata").write_bytes(_HEAD + text)
        os.utime(folder / "_metadata", (taken, taken))
    return folder


def test_jobs_are_found_by_the_name_that_the_jobmanager_logged() -> None:
    log = [
        f"… Received job submission 'win-event-bridge a:1 to t' ({A}).",
        f"… Received job submission 'other' ({OTHER}).",
        f"… Received job submission 'win-event-bridge a:1 to t' ({B}).",
        f"… Received job submission 'my win-event-bridge a:1 to t' ({OTHER}).",
    ]
    assert job_ids(log, "win-event-bridge a:1 to t") == {A, B}
    assert job_ids(log, "win-event-bridge a.1 to t") == set()


def test_the_newest_complete_one_of_these_jobs_wins(tmp_path: Path) -> None:
    kept, saved = tmp_path / "checkpoints", tmp_path / "savepoints"
    _snapshot(kept / A / "chk-9", 9)
    newest_checkpoint = _snapshot(kept / A / "chk-10", 10)
    _snapshot(kept / A / "chk-11", 11, complete=False)
    _snapshot(kept / OTHER / "chk-1", 99)
    _snapshot(saved / f"savepoint-{OTHER[:6]}-0123456789ab", 99)
    assert newest(kept, saved, {A}) == newest_checkpoint

    savepoint = _snapshot(saved / f"savepoint-{A[:6]}-0123456789ab", 12)
    assert newest(kept, saved, {A}) == savepoint
    later = _snapshot(kept / B / "chk-1", 13)
    assert newest(kept, saved, {A, B}) == later
    assert newest(kept, saved, set()) is None


def test_what_is_kept_and_what_is_not_is_said(tmp_path: Path) -> None:
    folder = _snapshot(tmp_path / "a b" / "chk-3", 1000, "a.example:9999", "[::1]:9998")
    found = start(Job("bridge", frozenset({"a.example:9999", "c:1"})), folder, now=1300)
    assert found.options == ["-s", folder.as_uri(), "--allowNonRestoredState"]
    assert found.remarks == [
        f"bridge continues from {folder}, 5 min old",
        "kept: the position in a.example:9999",
        "no position in it for c:1: --start-from decides",
        "not kept: the position in [::1]:9998, as this job does not read there from a position "
        "(--allowNonRestoredState)",
    ]


def test_nothing_is_allowed_to_be_lost_when_all_of_it_is_kept(tmp_path: Path) -> None:
    folder = _snapshot(tmp_path / "chk-3", 1000, "a.example:9999")
    found = start(Job("bridge", frozenset({"a.example:9999"})), folder, now=1000)
    assert found.options == ["-s", folder.as_uri()]


@pytest.mark.parametrize(
    ("words", "name", "positions"),
    [
        (["--port", "1"], "win-event-bridge 127.0.0.1:1 to events_processed", {"127.0.0.1:1"}),
        (["--hostname", "a:1,b:2", "--job-name", "n"], "n", {"a:1", "b:2"}),
        (["--source", "socket", "--job-name", "n"], "n", set()),
        (["detection", "--job-name", "n"], "n", set()),
        (["analytics", "level_counts"], "win-event-analytics level_counts from events_processed", set()),
    ],
)
def test_a_job_says_its_name_and_whose_positions_it_keeps(
    tmp_path: Path, words: list[str], name: str, positions: set[str]
) -> None:
    job = describe(Stack(tmp_path), program(words))
    assert (job.name, job.positions) == (name, positions)
    assert job.listener == ("127.0.0.1:9092", "SASL_PLAINTEXT")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nonsense", "'nonsense' is none of bridge, analytics, detection, and no option of the bridge"),
        ("analytics nonsense", "no question 'nonsense'; there are: "),
        ("--nonsense", "No such option '--nonsense'"),
    ],
)
def test_what_cannot_be_submitted_is_said_by_the_command_that_was_typed(
    tmp_path: Path, words: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        describe(Stack(tmp_path), program(words.split()))
    assert str(refused.value).startswith("Try 'win-event-stack submit --help' for help.\n\nError: " + said)


def test_a_job_that_is_not_to_be_checked_names_no_listener(tmp_path: Path) -> None:
    assert describe(Stack(tmp_path), program(["--no-check"])).listener is None
