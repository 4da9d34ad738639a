"""The page in a real browser with a real console, whose stream is replaced by frames that a test makes.

Each connection gets one frame and ends, so that the page connects again: as after an interruption.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from consoles import RunningConsole
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.integration

ROW = {"topic": "alerts", "partition": 0, "offset": 1, "timestamp": 1.0, "since": 1.0}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """A console whose Kafka is away."""
    log = tmp_path_factory.mktemp("frames") / "log"
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
    variables = {**nowhere, "KAFKA_USERNAME": "", "KAFKA_PASSWORD_FILE": "", "WIN_EVENT_CACHE": ""}
    started = RunningConsole(log, variables, "--flink-url", "", "--producer-url", "")
    yield started
    assert started.stop() == 0, started.text()


@pytest.fixture(scope="module")
def real_frame(console: RunningConsole) -> dict[str, Any]:
    with httpx.stream("GET", f"{console.url}/api/v1/stream", timeout=60) as answer:
        return json.loads(next(line for line in answer.iter_lines() if line.startswith("data: "))[6:])


@pytest.fixture
def frame(real_frame: dict[str, Any]) -> dict[str, Any]:
    """What the next connections get; a test changes it."""
    made = deepcopy(real_frame)
    for service in made["status"]["services"]:
        service.update(state="up" if service["name"] == "kafka" else "off", problem=None)
    made["status"]["reading"]["problem"] = None
    return made


@pytest.fixture
def page(open_page: Callable[..., Page], console: RunningConsole, frame: dict[str, Any]) -> Page:
    def answer(route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=f"data: {json.dumps(frame)}\n\n")

    opened = open_page("about:blank", live=False)
    opened.route("**/api/v1/stream*", answer)
    opened.goto(console.url)
    return opened


def event(number: int) -> dict[str, Any]:
    fields = dict.fromkeys(("level", "source", "event_id", "computer", "line"), "x")
    return {
        **fields, "sequence": number, "partition": 0, "offset": number, "arrived": 1.0,
        "time": f"2026-11-21T09:28:{number:02}Z", "message": f"event {number}",
    }  # fmt: skip


def rejected(number: int) -> dict[str, Any]:
    texts = {"reason": "not-utf8", "endpoint": "", "text": f"line {number}", "hex": ""}
    return {"sequence": number, "partition": 0, "offset": number, "timestamp": 1.0, "size": 1, **texts}


def alert(key: str, **place: object) -> dict[str, Any]:
    return {**ROW, **place, "key": key, "fields": {"title": f"alert {key}", "level": "high"}}


def test_open_rows_stay_open_when_the_page_connects_again(page: Page, frame: dict[str, Any]) -> None:
    alerts = frame["status"]["names"]["alerts"]
    frame["events"]["lines"], frame["rejected"] = [event(2), event(1)], [rejected(1)]
    frame["rows"][alerts] = {"kept": 1, "rows": [alert("a")]}
    opened = [
        page.locator("#events .event", has_text="event 2"),
        page.locator("#rejected .reject", has_text="line 1"),
        page.locator("#alerts .card", has_text="alert a"),
    ]
    for row in opened:
        expect(row).to_be_visible()
    for row in opened:  # at once: the next connection must not come in between
        row.evaluate("(row) => { row.open = true; }")
    frame["events"]["lines"], frame["rejected"] = [event(3), event(2)], [rejected(2), rejected(1)]
    frame["rows"][alerts] = {"kept": 2, "rows": [alert("b"), alert("a", offset=2)]}
    expect(page.locator("#hold")).to_have_text("Held: 1 new")
    expect(page.locator("#rejected .reject")).to_have_count(2)
    expect(page.locator("#alerts .card")).to_have_count(2)
    for row in opened:
        expect(row.locator("dl")).to_be_visible()
    opened[0].locator("summary").click()
    expect(page.locator("#events .event").first).to_contain_text("event 3")
    del frame["rows"][alerts]
    expect(page.locator("#alerts .empty")).to_be_visible()
    expect(page.locator("#events .event")).to_have_count(2)  # it begins anew if it does not rest


def test_a_held_list_stays_when_the_page_connects_again(page: Page, frame: dict[str, Any]) -> None:
    frame["events"]["lines"] = [event(2), event(1)]
    events = page.locator("#events .event")
    expect(events).to_have_count(2)
    page.keyboard.press("h")
    frame["events"]["lines"] = [event(9)]
    expect(page.locator("#hold")).to_have_text("Held: 1 new")
    expect(events).to_have_count(2)
    page.keyboard.press("h")
    expect(events.first).to_contain_text("event 9")


def test_a_job_without_a_known_group_has_no_lag(page: Page, frame: dict[str, Any]) -> None:
    job = {
        "name": "soc", "kind": "analytics", "job_id": "0", "state": "RUNNING",
        "running_tasks": 1, "tasks": 1, "uptime": 9.0, "restarts": 0,
        "checkpoints": 0, "failed_checkpoints": 0, "checkpoint_age": None, "checkpoint_duration": None,
    }  # fmt: skip
    frame["status"]["jobs"] = [job]
    next(each for each in frame["status"]["services"] if each["name"] == "flink")["state"] = "up"
    group = {"name": "soc-top", "state": "Empty", "members": 0, "lag": 7}
    frame["status"]["groups"] = [group]
    note = page.locator("#node-analytics .note")
    expect(note).to_have_text("no checkpoint yet")
    frame["status"]["groups"] = [{**group, "name": "win-event-analytics-top"}]
    expect(note).to_have_text("no checkpoint yet · lag 7")


def test_a_topic_that_cannot_be_read_is_a_notice(page: Page, frame: dict[str, Any]) -> None:
    notices = page.locator("#notices .notice")
    expect(notices).to_have_count(0)
    frame["status"]["reading"]["problem"] = "the user of the console may not read events_processed"
    expect(notices).to_have_text("Reading the user of the console may not read events_processed")
