"""Results become a verdict and a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faults.document import render
from faults.modes import modes_named
from faults.results import Result, StoredResults, judge, load_results

CLEAN = {"records": 10, "distinct": 10, "lost": 0, "unseen": 0, "duplicated": 0, "corrupt": 0, "invented": 0}
FIGURES = {"produced": 1000, "lost": 0, "duplicated": 7, "rejected": 0, "recovery_seconds": 2.5}


@pytest.mark.parametrize(
    ("found", "lossless", "exactly_once", "problem"),
    [
        ({}, True, True, ""),
        ({"lost": 3}, True, False, "3 lost"),
        ({"unseen": 3}, True, False, "3 lost"),
        ({"lost": 3}, False, False, ""),
        ({"duplicated": 2}, True, False, ""),
        ({"duplicated": 2}, True, True, "2 duplicated"),
        ({"corrupt": 1}, False, False, "1 corrupt"),
        ({"invented": 1}, False, False, "1 invented"),
        ({"records": 0}, False, False, "nothing was delivered"),
    ],
)
def test_verdicts(found: dict[str, int], lossless: bool, exactly_once: bool, problem: str) -> None:
    assert judge({**CLEAN, **found}, lossless, exactly_once) == problem


def test_a_loss_above_the_printed_bound_is_a_problem() -> None:
    report = {**CLEAN, "lost": 3}
    assert judge(report, lossless=False, exactly_once=False, bound=3) == ""
    reordered = {**CLEAN, "reordered": 2}
    assert judge(reordered, lossless=True, exactly_once=False, ordered=True) == "2 reordered"
    assert judge(reordered, lossless=True, exactly_once=False, ordered=False) == ""
    assert "more than the printed bound" in judge(report, lossless=False, exactly_once=False, bound=2)


def test_a_book_keeps_the_newest_result_of_each_row_and_mode(tmp_path: Path) -> None:
    old = Result("rst", "auto", "2026-01-01", 1, "5 × RST", "", FIGURES)
    new = Result("rst", "auto", "2026-01-02", 2, "5 × RST", "3 lost", {**FIGURES, "lost": 3})
    other = Result("rst", "socket", "2026-01-01", 1, "5 × RST", "", FIGURES)
    StoredResults({}).with_results([old, other]).with_results([new]).save(tmp_path / "stored.json")
    assert list(load_results(tmp_path / "stored.json", {}).results) == [other, new]


def test_the_page_shows_every_result_and_marks_failures() -> None:
    good = Result("rst", "auto", "2026-01-01", 1, "5 × RST", "", FIGURES)
    bad = Result("rst", "exactly-once", "2026-01-01", 1, "5 × RST", "7 duplicated", FIGURES)
    alone = Result("disk-full", "producer", "2026-01-01", 2, "exit code 1", "", {"events": 5})
    jump = Result("clock-jump", "auto", "2026-01-01", 1, "2 h ahead", "", {**FIGURES, "rejected": 9})
    page = render(StoredResults({"cores": "2"}, (good, bad, alone, jump)))
    assert "| 0 lost · 7 dup · 9 rejected · 2.5 s |" in page
    assert "| 5 × RST | – | – | 0 lost · 7 dup · 2.5 s | **0 lost · 7 dup · 2.5 s: 7 duplicated** |" in page
    assert "| disk full under --log-dir | exit code 1 | events 5 |" in page
    assert "$" not in page


def test_unknown_modes_are_named() -> None:
    with pytest.raises(ValueError, match="no mode nonsense"):
        modes_named("resume,nonsense")


def test_the_page_shows_the_stored_results() -> None:
    docs = Path(__file__).resolve().parents[3] / "docs"
    results = docs / "reliability.json"
    stored = load_results(results, json.loads(results.read_text())["machine"])
    assert render(stored) == (docs / "RELIABILITY.md").read_text()
