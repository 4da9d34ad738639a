"""Runs become medians and ratios; these become a table, a page and plots."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from bench.harness import Case, Section, measure
from bench.measurement import Sample
from bench.results import Record, StoredFigures, load_figures
from bench.table import cells, number


def section(order: list[str]) -> Section:
    def case(name: str, *values: float) -> Case:
        runs = iter(values)

        def run() -> Sample:
            order.append(name)
            value = next(runs)
            return Sample(value, events=1_000_000, cpu_seconds=4.0 + value / 1000, peak_mib=10.0)

        return Case(name, run, x=1.0)

    cases = [case("base", 100, 300, 200), case("other", 50, 50, 80)]
    return Section("work", "Work", "events/s", cases, yardstick="base", axis="events/s")


def test_cases_take_turns_and_are_compared_by_their_medians() -> None:
    order: list[str] = []
    (base, other), failed = measure(section(order), 3, lambda what: None)
    assert failed == {}
    assert order == ["base", "other"] * 3
    assert (base.value, base.low, base.high, base.ratio) == (200, 100, 300, 1.0)
    assert (other.value, other.cpu_seconds_per_million, other.cpu_low, other.cpu_high) == (
        50,
        4.05,
        4.05,
        4.08,
    )
    assert "4.05 (4.05–4.08)" in cells(other)
    assert "36–39" in cells(replace(other, value=36, low=36.0, high=39.0))  # whole milliseconds
    assert "4.0" in cells(replace(other, cpu_low=None, cpu_high=None))  # a record without the range
    assert (other.ratio_low, other.ratio, other.ratio_high) == (50 / 300, 0.4, 0.5)  # round by round


def test_a_case_that_fails_is_told_and_stops_nobody() -> None:
    def fail() -> Sample:
        raise RuntimeError("no such tool")

    whole = section([])
    broken = Section("work", "Work", "events/s", [*whole.cases, Case("broken", fail)], yardstick="base")
    found, failed = measure(broken, 2, lambda what: None)
    assert [measurement.case for measurement in found] == ["base", "other"]
    assert failed == {"broken": "failed: no such tool"}


def test_of_a_long_failure_the_line_with_the_reason_stays() -> None:
    frames = "\n".join(f"\tat org.apache.flink.Some.method(Some.java:{line})" for line in range(40))
    trace = f"not submitted:\n{frames}\nCaused by: java.io.IOException: disk full\n{frames}\n\t... 12 more"
    told: list[str] = []

    def fail() -> Sample:
        raise TypeError(trace)  # also what nobody expects

    broken = Section("work", "Work", "events/s", [Case("broken", fail)])
    _, failed = measure(broken, 1, told.append)
    assert failed == {"broken": "failed: Caused by: java.io.IOException: disk full"}
    assert any(frames in text for text in told)


def test_a_book_survives_its_file_and_shows_everything(tmp_path: Path) -> None:
    from bench.document import render  # brings matplotlib: every process of the tests imports this file
    from bench.plots import draw

    found = tuple(measure(section([]), 1, lambda what: None)[0])
    record = Record(
        "work", "Work", "events/s", "2026-01-01", "base", "A note.", "events/s", {"nc": "apt"}, found
    )
    stored = StoredFigures({"cores": "2"}).with_record(record).with_record(record)
    stored.save(tmp_path / "stored.json")
    assert load_figures(tmp_path / "stored.json", {"cores": "2"}) == stored
    text = render(stored)
    assert "| other | 50.0 | 0.50 | 4.05 | 10 |" in text  # one run has no spread to show
    assert "| nc | not measured: apt |" in text
    [plot] = draw(stored, tmp_path)
    assert plot.read_text().startswith("<?xml")
    assert f"plots/{plot.name}" in text


def test_the_page_shows_the_stored_figures() -> None:
    from bench.document import page

    docs = Path(__file__).resolve().parents[3] / "docs"
    figures = docs / "performance.json"
    stored = load_figures(figures, json.loads(figures.read_text())["machine"])
    assert page(stored, docs) == (docs / "PERFORMANCE.md").read_text()


def test_three_digits() -> None:
    values = (0.12345, 42.0, 543.2, 12345.0, 1234567.0, 0.0)
    assert [number(value) for value in values] == ["0.123", "42.0", "543", "12,300", "1,230,000", "0"]


def test_no_digit_that_the_range_does_not_support() -> None:
    assert number(342_700, 334_000, 351_000) == "340,000"
    assert number(342_700, 342_000, 343_000) == "343,000"
    assert number(220_000, 79_000, 361_000) == "200,000"
    assert number(0.943, 0.91, 0.98, most=2) == "0.94"
    assert number(0.943, 0.71, 0.98, most=2) == "0.9"
