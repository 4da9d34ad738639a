"""win-event-console --cache over the real broker and a real Valkey server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from caching import RunningCache
from consoles import Pipeline, RunningConsole, make_event
from playwright.sync_api import Page, expect
from running import wait_until

pytestmark = pytest.mark.integration

PASSWORD = "of the cache"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCache]:
    started = RunningCache(tmp_path_factory.mktemp("cache"), password=PASSWORD)
    yield started
    started.kill()


@pytest.fixture(scope="module")
def open_console(
    cache: RunningCache, start_console: Callable[..., RunningConsole]
) -> Callable[..., RunningConsole]:
    """A console with that cache; Flink and the producer are not asked."""

    def start(**variables: str) -> RunningConsole:
        given = {"WIN_EVENT_CACHE": cache.url, "WIN_EVENT_CACHE_PASSWORD": PASSWORD, **variables}
        return start_console("--flink-url", "", "--producer-url", "", **given)

    return start


def metric(console: RunningConsole, name: str) -> float:
    page = httpx.get(f"{console.url}/metrics", timeout=60).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, page
    return float(found[1])


def keys(console: RunningConsole) -> list[str]:
    return [each["key"] for each in console.get("alerts")["rows"]]


def errors(console: RunningConsole) -> int:
    return int(console.get("counts")["by_level"]["Error"])


def test_a_restarted_console_answers_while_kafka_refuses_it(
    pipeline: Pipeline, cache: RunningCache, open_console: Callable[..., RunningConsole]
) -> None:
    first = open_console()
    wait_until(lambda: first.get("status")["reading"]["problem"] is None, "it reads")
    for key in ("a", "b", "a"):
        pipeline.answer("alerts", key.encode(), {"rule_id": key})
    pipeline.send(make_event("x", level="Error"), make_event("y", level="Error"))
    wait_until(lambda: keys(first) == ["a", "b"] and errors(first) == 2, "all is answered from Kafka")
    assert first.services()["cache"] == "up"
    wait_until(lambda: cache.client.keys("win-event-console:*:rows:alerts*"), "the alerts are in the cache")
    assert first.stop() == 0

    again = open_console(KAFKA_PASSWORD="wrong")
    wait_until(lambda: keys(again) == ["a", "b"], "the alerts are answered from the cache")
    assert errors(again) == 2
    assert again.get("alerts")["service"]["state"] == "away"  # the reader sees that they may be old
    kind = f'kind="{pipeline.topic("alerts")}"'
    assert metric(again, f"win_event_console_cache_hits_total{{{kind}}}") >= 1
    assert metric(again, 'win_event_console_cache_hits_total{kind="counts"}') >= 1


def test_answers_go_on_when_the_cache_is_killed_and_comes_back_empty(
    pipeline: Pipeline,
    cache: RunningCache,
    open_console: Callable[..., RunningConsole],
    open_page: Callable[..., Page],
) -> None:
    console = open_console()
    pipeline.answer("alerts", b"before", {"rule_id": "r"})
    wait_until(lambda: keys(console)[:1] == ["before"], "the alert is answered")
    cache.kill()
    wait_until(lambda: console.services()["cache"] == "away", "that it is away is said")
    expect(open_page(console.url).locator("#notices strong")).to_have_text("Cache")
    assert metric(console, "win_event_console_cache_up") == 0
    pipeline.answer("alerts", b"while", {"rule_id": "r"})
    wait_until(lambda: keys(console)[:2] == ["while", "before"], "answers go on")
    (service,) = (each for each in console.get("status")["services"] if each["name"] == "cache")
    assert cache.url in service["problem"]
    assert PASSWORD not in str(service)
    cache.start()
    wait_until(lambda: console.services()["cache"] == "up", "it is back")
    again = open_console(KAFKA_PASSWORD="wrong")
    wait_until(lambda: keys(again)[:2] == ["while", "before"], "what it had forgotten is in it again")


def test_a_console_without_a_cache_says_so(start_console: Callable[..., RunningConsole]) -> None:
    console = start_console("--flink-url", "", "--producer-url", "")
    assert console.services()["cache"] == "off"
    page = httpx.get(f"{console.url}/metrics", timeout=60).text
    assert "win_event_console_cache" not in page
    assert "process_cpu_seconds_total" in page
