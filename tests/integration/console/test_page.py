"""The page in a real browser with a real broker: what a person sees, types and clicks."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, TopicPartition
from consoles import Pipeline, RunningConsole, made_by_the_producer, make_event
from playwright.sync_api import Page, expect
from running import wait_until

from detection.alerts import Alert
from detection.matching.rule_set import Head
from local_stack import processes
from local_stack.broker import kafka_objects

pytestmark = pytest.mark.integration

# Script, markup, entities, a URL of a script, reading direction turned around, what nobody sees, half a pair.
HOSTILE = (
    '<img src=x onerror="document.title=1"><script>document.title=2</script>&lt;b&gt;<b>bold</b>'
    '"><svg onload="document.title=3"> javascript:document.title=4 {{7*7}} ${7*7}'
    " \u202egpj.exe\u2066\u200b\ufeff\x07"
)
# As the detection and as the analytics write an alert.
_RULE = Head(
    "brute-force", "Many failed logons from one address", "high", ("attack.t1110",), "rule.yml", 1, "", ()
)
SIGMA_ALERT = Alert(
    id="5f0c",
    head=_RULE,
    group={"IpAddress": "203.0.113.9"},
    first="2026-11-21T09:28:24.1000000Z",
    last="2026-11-21T09:29:24.1000000Z",
    count=9,
    record_ids=("DC-010 Security 4711", "DC-010 Security 4712"),
    detected_at="2026-11-21T09:29:24.3000000Z",
).as_json()
BURST = {
    "rule": "error_burst",
    "subject": "*",
    "first": "2026-11-21T09:28:24.1Z",
    "last": "2026-11-21T09:30:24.1Z",
    "events": 57,
    "accounts": None,
    "kind": "errors",
}


@pytest.fixture(scope="module")
def console(start_console: Callable[..., RunningConsole]) -> RunningConsole:
    return start_console("--flink-url", "", "--producer-url", "http://127.0.0.1:2")


@pytest.fixture
def page(open_page: Callable[..., Page], console: RunningConsole) -> Page:
    return open_page(console.url)


def test_the_page_loads_and_asks_nobody_else(page: Page, console: RunningConsole) -> None:
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#events .empty")).to_have_text("No events yet.")
    asked = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert len(asked) > 8
    assert [url for url in asked if not url.startswith(console.url + "/")] == []
    expect(page.locator("#notices")).to_contain_text("http://127.0.0.1:2")  # there is no producer
    expect(page.locator("#node-producer .note")).to_have_text("the producer does not answer")
    expect(page.locator("#node-bridge .note")).to_have_text("not asked")
    expect(page.locator("#start")).to_be_disabled()


def test_an_event_is_on_the_page_as_it_comes(page: Page, pipeline: Pipeline) -> None:
    pipeline.send(*made_by_the_producer(50), make_event("the account of o'hara", "Error", computer="SRV-9"))
    row = page.locator("#events .event", has_text="the account of o'hara")
    expect(row).to_be_visible()
    expect(row.locator(".level")).to_have_text("Error")
    expect(row.locator(".computer")).to_have_text("SRV-9")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.locator("dl")).to_contain_text("record_id")
    expect(row.locator("dl")).to_contain_text("partition, offset")


def test_an_open_event_has_the_numbers_that_were_sent(page: Page, pipeline: Pipeline) -> None:
    pipeline.send(make_event("a large number", logon_id=18446744073709551615))
    row = page.locator("#events .event", has_text="a large number").first
    row.locator("summary").click()
    expect(row.locator("dl")).to_contain_text("18446744073709551615")


def test_charts_show_levels_and_latency(page: Page, pipeline: Pipeline) -> None:
    for level in ("Critical", "Error", "Warning", "Information", "Verbose"):
        pipeline.send(make_event("for the chart", level))
    for level in ("Critical", "Error", "Warning", "Information", "Verbose"):
        expect(page.locator("#levels-legend")).to_contain_text(level)
    colours = "getContext('2d').getImageData(0, 0, 9999, 999).data"
    drawn = f"(id) => new Set(document.getElementById(id).{colours}).size"
    for chart in ("levels", "latency"):
        assert page.evaluate(drawn, chart) > 3
        page.locator(f"#{chart}").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator(f"#{chart}-legend .when")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
        page.keyboard.press("Escape")
        expect(page.locator(f"#{chart}-legend .when")).to_have_count(0)

    def told() -> bool:
        pipeline.send(make_event("now"))
        return bool(re.search(r"p50 \d", page.locator("#latency-legend").inner_text()))

    wait_until(told, "the latency of the last second is told")


def test_a_filter_finds_the_rare_and_levels_narrow_it(page: Page, pipeline: Pipeline) -> None:
    pipeline.send(
        make_event("a needle", "Warning", computer="WS-042"), *[make_event("hay") for _ in range(300)]
    )
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.type("needle computer:ws-042")
    events = page.locator("#events .event")
    expect(events).to_have_count(1)
    expect(events).to_contain_text("a needle")
    pipeline.send(make_event("another needle", "Error", computer="WS-042"), make_event("more hay"))
    expect(events).to_have_count(2)
    error = page.get_by_role("button", name="Error", exact=True)
    error.click()
    expect(error).to_have_attribute("aria-pressed", "true")
    expect(events).to_have_count(1)
    expect(events).to_contain_text("another needle")
    page.locator("#filter").fill("no such word anywhere")
    expect(page.locator("#events .empty")).to_have_text("No event matches.")
    page.locator("#filter").press("Escape")
    expect(page.locator("#filter")).to_have_value("")
    error.click()
    expect(page.locator("#events")).to_contain_text("more hay")


def test_a_held_list_rests_and_counts_what_comes(page: Page, pipeline: Pipeline) -> None:
    pipeline.send(make_event("before the hold"))
    expect(page.locator("#events")).to_contain_text("before the hold")
    page.keyboard.press("h")
    pipeline.send(make_event("during the hold"))
    expect(page.locator("#hold")).to_have_text(re.compile(r"Held: [1-9]"))
    expect(page.locator("#events")).not_to_contain_text("during the hold")
    page.keyboard.press("h")
    expect(page.locator("#events")).to_contain_text("during the hold")


def test_alerts_come_with_their_evidence(page: Page, pipeline: Pipeline) -> None:
    pipeline.answer("alerts", ["brute-force", "203.0.113.9"], SIGMA_ALERT, user="detection")
    card = page.locator("#alerts .card", has_text="Many failed logons")
    expect(card).to_be_visible()
    expect(card.locator("summary")).to_contain_text("9 events")
    expect(card.locator("summary")).to_contain_text("IpAddress 203.0.113.9")
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    for text in ("evidence (2 records)", "DC-010 Security 4712", "attack.t1110", "brute-force"):
        expect(card.locator("dl")).to_contain_text(text)
    pipeline.answer("alerts", ["brute-force", "203.0.113.9"], SIGMA_ALERT | {"count": 12}, user="detection")
    expect(card.locator("summary")).to_contain_text("12 events")
    expect(card.locator("dl")).to_be_visible()  # it stays open while it grows
    pipeline.answer("alerts", ["error_burst", "*"], BURST)
    of_analytics = page.locator("#alerts .card", has_text="Error burst")
    expect(of_analytics.locator("summary")).to_contain_text("57 events")
    expect(of_analytics.locator("summary")).to_contain_text("all computers")
    pipeline.answer("alerts", ["brute-force", "203.0.113.9"], SIGMA_ALERT | {"count": 15}, user="detection")
    expect(card.locator("summary")).to_contain_text("15 events")
    titles = page.locator("#alerts .card strong")
    expect(titles).to_have_text(["Error burst", SIGMA_ALERT["title"]])  # nor does it move
    expect(page.locator("#alerts-count")).to_have_text("2 alerts")
    expect(page.locator("#node-alerts .figure")).to_have_text("2")


def test_a_detection_outside_of_flink_shows_as_a_process(page: Page, pipeline: Pipeline) -> None:
    login = kafka_objects.connection(pipeline.broker.stack, "detection").client_settings()
    consumer = Consumer({**login, "group.id": "win-event-detection-page"})
    consumer.subscribe([pipeline.topic("events_processed")])
    try:
        wait_until(lambda: consumer.poll(1.0) or consumer.assignment(), "it has joined its group")
        expect(page.locator("#node-detection .figure")).to_have_text(re.compile(r"^1\sprocess"))
        expect(page.locator("#node-detection")).to_have_attribute("data-state", "good")
    finally:
        consumer.close()


def test_a_detection_that_joins_no_group_shows_its_lag(page: Page, pipeline: Pipeline) -> None:
    topic = pipeline.topic("events_processed")
    login = kafka_objects.connection(pipeline.broker.stack, "detection").client_settings()
    consumer = Consumer({**login, "group.id": "win-event-detection-apart"})
    try:
        consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
        note = page.locator("#node-detection .note")
        expect(note).to_have_text(re.compile(r"(?:no Flink job|not asked) · lag [\d,]+"))
    finally:
        consumer.close()


def test_windows_and_sessions_are_tables(page: Page, pipeline: Pipeline) -> None:
    for number in range(3):
        window = {
            "window_start": f"2026-11-21T09:{number}0:00Z", "window_end": f"2026-11-21T09:{number}5:00Z",
            "level": "Error", "source": "System", "events": 1_234 + number,
        }  # fmt: skip
        pipeline.answer("events_by_level_5m", [number], window)
    pipeline.answer(
        "logon_sessions", ["WS-001", 1], {"computer": "WS-001", "account": "m.ito", "seconds": 61}
    )
    tab = page.get_by_role("tab", name="events by level 5m")
    tab.click()
    expect(page.locator("#results tbody tr")).to_have_count(3)
    expect(page.locator("#results")).to_contain_text("1,236")
    tab.press("ArrowRight")
    expect(page.get_by_role("tab", selected=True)).to_have_text(re.compile("logon sessions"))
    expect(page.locator("#results")).to_contain_text("m.ito")
    expect(page.locator("#node-results .figure")).to_have_text(re.compile(r"^4\s"))


def test_rejected_lines_come_with_reason_and_bytes(page: Page, pipeline: Pipeline) -> None:
    pipeline.reject(b'{"computer":"\xff\xfe"}', "not-utf8")
    row = page.locator("#rejected .reject").first
    expect(row.locator(".reason")).to_have_text("not-utf8")
    row.locator("summary").click()
    expect(row.locator("dl")).to_contain_text("7b 22 63 6f 6d 70 75 74 65 72 22 3a 22 ff fe 22 7d")
    expect(page.locator("#rejected-count")).to_have_text("1 kept")


def test_hostile_text_is_shown_and_never_becomes_markup(page: Page, pipeline: Pipeline) -> None:
    names = ("timestamp", "level", "source", "event_id", "computer", "record_id", "message")
    fields = {name: f"{name} {HOSTILE}" for name in names}
    pipeline.send({**fields, HOSTILE: {HOSTILE: [HOSTILE]}})
    pipeline.send(("not json " + HOSTILE).encode())
    pipeline.reject(HOSTILE.encode() + b"\xff\xfe", HOSTILE)
    texts = ("rule_id", "title", "level", "tags", "first", "last", "count", "detected_at")
    alert = dict.fromkeys(texts, HOSTILE)
    pipeline.answer(
        "alerts", HOSTILE.encode(), {**alert, "group": {HOSTILE: HOSTILE}, "record_ids": [HOSTILE]}
    )
    pipeline.answer("top_5m", HOSTILE.encode(), {HOSTILE: HOSTILE, "events": HOSTILE, "rank": 1})
    pipeline.answer("top_5m", b"text", {"value": HOSTILE})

    for kind in ("#events .event", "#alerts .card", "#rejected .reject"):
        rows = page.locator(kind, has_text="document.title")
        expect(rows.first).to_be_visible()
        for row in rows.all():
            row.locator("summary").click()
            expect(row.locator("dl")).to_contain_text("<script>")
    page.get_by_role("tab", name="top 5m").click()
    expect(page.locator("#results")).to_contain_text("<img src=x")
    for holder in ("#events", "#alerts", "#rejected", "#results"):
        inside = f"{holder} :is(img, script, b:not(.legend b), svg, a, iframe, style, object)"
        assert page.locator(inside).count() == 0
        assert "\u202e" not in page.locator(holder).inner_text()
        expect(page.locator(holder)).to_contain_text("U+202E")
    assert page.title() == "win-event-console"
    page.locator("#filter").fill(HOSTILE[:60])
    expect(page.locator("#events .event")).to_have_count(1)
    assert page.title() == "win-event-console"


def test_the_theme_is_switched_by_a_key_and_remembered(page: Page) -> None:
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.keyboard.press("t")
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    page.keyboard.press("t")
    expect(root).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(
    open_page: Callable[..., Page], console: RunningConsole, pipeline: Pipeline, width: int
) -> None:
    page = open_page(console.url, viewport={"width": width, "height": 900})
    pipeline.send(make_event("an event of any width"))
    expect(page.locator("#events .event").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # The longest state that the page can show leaves the name of the product on one line.
    name, longest = page.locator("h1"), "document.querySelector('#live').textContent = 'Reconnecting'"
    height = name.bounding_box()["height"]  # type: ignore[index]
    page.evaluate(longest)
    assert name.bounding_box()["height"] == height < 30  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_everything_can_be_reached_by_keyboard(page: Page, pipeline: Pipeline) -> None:
    pipeline.send(make_event("an event to reach"))
    expect(page.locator("#events .event").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.closest('[id]')?.id"))
    assert {"theme", "levels", "latency", "alerts", "results", "filter", "hold", "events"} <= reached


def test_the_page_comes_back_by_itself_after_the_console_was_away(
    open_page: Callable[..., Page], start_console: Callable[..., RunningConsole], pipeline: Pipeline
) -> None:
    console = start_console("--flink-url", "", "--producer-url", "")
    page = open_page(console.url)
    expect(page.locator("#control")).to_be_hidden()
    console.process.kill()
    console.process.wait()
    expect(page.locator("#live")).to_have_text("Reconnecting")
    console.start()
    expect(page.locator("#live")).to_have_text("Live")
    wait_until(lambda: console.get("status")["reading"]["problem"] is None, "the console reads again")
    pipeline.send(make_event("after the console came back"))
    expect(page.locator("#events")).to_contain_text("after the console came back")


def test_a_closed_console_asks_for_its_token_once(
    open_page: Callable[..., Page], start_console: Callable[..., RunningConsole]
) -> None:
    console = start_console("--flink-url", "", "--producer-url", "", WIN_EVENT_CONSOLE_TOKEN="open sesame")
    page = open_page(console.url, live=False)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Open").click()
    expect(dialog).to_contain_text("not the token")
    page.get_by_label("Token").fill("open sesame")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("Live")
    page.reload()
    expect(page.locator("#live")).to_have_text("Live")
    expect(dialog).to_be_hidden()


def test_the_broker_goes_away_and_comes_back(page: Page, pipeline: Pipeline, console: RunningConsole) -> None:
    daemon = processes.running(pipeline.broker.stack, "kafka-1")
    assert daemon is not None
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        notice = page.locator("#notices .notice", has_text="Kafka")
        expect(notice).to_be_visible()
        expect(page.locator("#node-processed")).to_have_attribute("data-state", "away")
        expect(page.locator("#live")).to_have_text("Live")  # the console itself answers
        assert console.services()["kafka"] == "away"
        os.kill(daemon.pid, signal.SIGKILL)
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    pipeline.broker.up("--only", "kafka")
    expect(notice).to_be_hidden()
    pipeline.send(make_event("after the broker came back"))
    expect(page.locator("#events")).to_contain_text("after the broker came back")
