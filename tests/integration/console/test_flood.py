"""At 10,000 events per second, from any sender, the page does not grow or fall behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from threading import Thread
from typing import Any

import pytest
from consoles import Pipeline, RunningConsole, made_by_the_producer, make_event
from playwright.sync_api import Page, expect
from running import wait_until

pytestmark = pytest.mark.integration

RATE = 10_000
TICK = 0.05  # seconds
HEAP_BYTES, NODES = 8 * 2**20, 500  # of growth that is none: charts fill, figures get longer
BEHIND = 2.0  # seconds
_TIME = len('{"timestamp":"2026-11-21T09:28:24.1778590Z')


class Flood(Thread):
    """Sends RATE events of win-event-producer per second for `seconds`, with the current time."""

    def __init__(self, pipeline: Pipeline, seconds: float) -> None:
        super().__init__()
        self._pipeline, self._seconds = pipeline, seconds
        self._rests = [line[_TIME:] for line in made_by_the_producer(2_000)]
        self.sent = 0

    def run(self) -> None:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < self._seconds:
            now = f'{{"timestamp":"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}0Z'.encode()
            due = int(passed * RATE) - self.sent
            lines = [now + self._rests[(self.sent + n) % len(self._rests)] for n in range(due)]
            self._pipeline.send(*lines)
            self.sent += due
            time.sleep(TICK)


@pytest.fixture(scope="module")
def console(start_console: Callable[..., RunningConsole]) -> RunningConsole:
    return start_console("--flink-url", "", "--producer-url", "")


def _size(page: Page) -> dict[str, float]:
    """The memory of the page after its garbage was collected."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return {metric["name"]: metric["value"] for metric in found}


def _samples(page: Page, flood: Flood) -> list[float]:
    """How many seconds the page was behind, measured twice per second until the flood ends."""
    found = []
    while flood.is_alive():
        found.append(page.evaluate("Date.now() / 1000 - Number(document.documentElement.dataset.at)"))
        flood.join(0.5)
    return found


def test_what_comes_faster_than_it_reads_is_left_out_and_told(
    open_page: Callable[..., Page], start_console: Callable[..., RunningConsole], pipeline: Pipeline
) -> None:
    console = start_console("--flink-url", "", "--producer-url", "", "--max-rate", "1000")
    wait_until(lambda: console.get("status")["reading"]["problem"] is None, "the console reads")
    read_before = console.get("status")["reading"]["events"]
    flood = Flood(pipeline, 3)
    flood.start()
    flood.join()

    def told() -> int:
        reading = console.get("status")["reading"]
        return int(reading["events"] - read_before + reading["skipped"])

    wait_until(lambda: told() >= flood.sent, "every event is read or counted as left out")
    assert console.get("counts")["skipped"] > 0
    expect(open_page(console.url).locator("#reading")).to_contain_text("left out: more than 1,000/s")


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.nightly)])
def test_a_flood_makes_the_page_neither_larger_nor_late(
    open_page: Callable[..., Page], console: RunningConsole, pipeline: Pipeline, seconds: int
) -> None:
    page = open_page(console.url)
    read_before = console.get("status")["reading"]["events"]
    first = Flood(pipeline, 3)
    first.start()
    first.join()
    expect(page.locator("#events .event")).to_have_count(150)
    before = _size(page)

    flood = Flood(pipeline, seconds)
    flood.start()
    behind = _samples(page, flood)
    pipeline.send(make_event("the last of the flood"))
    expect(page.locator("#events")).to_contain_text("the last of the flood")

    def reading() -> dict[str, Any]:
        return dict(console.get("status")["reading"])

    sent = first.sent + flood.sent + 1
    wait_until(
        lambda: (now := reading())["events"] - read_before + now["skipped"] >= sent,
        "everything is read, or counted as left out",
    )

    def has_not_grown() -> bool:  # a busy browser removes old rows a little later
        after = _size(page)
        grown = after["JSHeapUsedSize"] - before["JSHeapUsedSize"]
        return grown < HEAP_BYTES and after["Nodes"] - before["Nodes"] < NODES

    wait_until(has_not_grown, "the page is as large as before", told=lambda: (before, _size(page)))
    expect(page.locator("#events .event")).to_have_count(150)
    if seconds == 60:  # on a quiet machine
        assert flood.sent >= 0.95 * seconds * RATE
        assert max(behind) < BEHIND, behind
