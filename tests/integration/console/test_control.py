"""A button in a real browser changes the real producer; the browser never sees the token."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from consoles import TOKEN, RunningConsole, SteeredProducer
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def console(start_console: Callable[..., RunningConsole], producer: SteeredProducer) -> RunningConsole:
    token = {"WIN_EVENT_HTTP_TOKEN": TOKEN}
    return start_console("--flink-url", "", "--producer-url", producer.url, **token)


@pytest.fixture
def page(open_page: Callable[..., Page], console: RunningConsole) -> Page:
    return open_page(console.url)


def test_stop_and_start(page: Page, producer: SteeredProducer) -> None:
    told, node = page.locator("#told"), page.locator("#node-producer")
    expect(node.locator(".note")).to_contain_text("asked 200/s")
    expect(page.locator("#start")).to_be_disabled()
    page.get_by_role("button", name="Stop").click()
    expect(told).to_have_text("Stopped.")
    expect(node.locator(".note")).to_contain_text("stopped")
    expect(node).to_have_attribute("data-state", "idle")
    assert producer.status()["running"] is False
    expect(page.locator("#stop")).to_be_disabled()
    page.get_by_role("button", name="Start").click()
    expect(told).to_have_text("Started.")
    expect(node).to_have_attribute("data-state", "good")
    assert producer.status()["running"] is True


def test_rate(page: Page, producer: SteeredProducer) -> None:
    rate = page.get_by_label("Rate")
    expect(rate).to_have_value("200")
    rate.fill("350")
    rate.press("Enter")
    expect(page.locator("#told")).to_have_text("Rate: 350/s.")
    expect(page.locator("#node-producer .note")).to_contain_text("asked 350/s")
    assert producer.status()["rate_asked"] == 350
    rate.fill("")
    page.get_by_role("button", name="Set").click()
    expect(page.locator("#told")).to_have_text("As fast as it goes.")
    expect(page.locator("#node-producer .note")).to_contain_text("as fast as it goes")
    assert producer.status()["rate_asked"] is None
    rate.fill("200")
    page.get_by_role("button", name="Set").click()
    expect(page.locator("#told")).to_have_text("Rate: 200/s.")


def test_a_scenario_begins_at_once(page: Page, producer: SteeredProducer) -> None:
    page.get_by_label("Scenario").select_option("brute-force")
    page.get_by_role("button", name="Inject").click()
    expect(page.locator("#told")).to_have_text("brute-force injected.")
    producer.wait_for_scenario("brute-force")


def test_on_a_narrow_screen_a_button_stays_beside_its_field(
    open_page: Callable[..., Page], console: RunningConsole
) -> None:
    page = open_page(console.url, viewport={"width": 390, "height": 900})
    expect(page.locator("#control")).to_be_visible()
    for field, button in (("#rate", "#set-rate"), ("#scenario", "#inject")):
        left, right = page.locator(field).bounding_box(), page.locator(button).bounding_box()
        assert left is not None
        assert right is not None
        assert left["y"] < right["y"] + right["height"] / 2 < left["y"] + left["height"]


def test_a_refusal_is_told_in_the_producers_words(
    open_page: Callable[..., Page], start_console: Callable[..., RunningConsole], producer: SteeredProducer
) -> None:
    console = start_console("--flink-url", "", "--producer-url", producer.url, WIN_EVENT_HTTP_TOKEN="wrong")
    page = open_page(console.url)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#told")).to_contain_text("WIN_EVENT_HTTP_TOKEN")
    expect(page.locator("#told")).to_have_attribute("data-state", "bad")
    assert producer.status()["running"] is True


def test_no_token_reaches_the_browser(page: Page, console: RunningConsole) -> None:
    for path in ("/api/v1/status", "/openapi.json", "/"):
        assert TOKEN not in httpx.get(console.url + path, timeout=60).text
    assert TOKEN not in page.content()


@pytest.mark.parametrize("server", ["console", "producer"])
def test_the_apis_own_pages_work_offline(
    open_page: Callable[..., Page], console: RunningConsole, producer: SteeredProducer, server: str
) -> None:
    url = {"console": console, "producer": producer}[server].url
    page = open_page(f"{url}/docs")
    expect(page.locator(".opblock-summary-path").first).to_be_visible()
    asked = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert [each for each in asked if not each.startswith((url + "/", "data:"))] == []
