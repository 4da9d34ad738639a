"""The whole pipeline on one page: real producer, bridge and analytics on the session's cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from consoles import Pipeline, RunningConsole, SteeredProducer, make_event
from playwright.sync_api import Page, expect
from running import Job, RunningStack

pytestmark = pytest.mark.integration

AGO = re.compile(r"checkpoint \d+(\.\d)? (ms|s) ago")


@pytest.fixture(scope="module")
def jobs(stack: RunningStack, pipeline: Pipeline, producer: SteeredProducer) -> Iterator[list[Job]]:
    """The bridge, under a name of its own, from the producer into the topic; level_counts from there on."""
    processed = pipeline.topic("events_processed")
    started = [
        stack.submit_shared(
            *("--hostname", "127.0.0.1", "--port", str(producer.running.port)),
            *("--kafka-topic", processed, "--kafka-rejected-topic", pipeline.topic("events_rejected")),
            *("--checkpoint-interval", "1", "--job-name", "collector in Berlin"),
        )
    ]
    result = f"events_by_level={pipeline.topic('events_by_level')}"
    words = (
        "level_counts",
        "--kafka-topic",
        processed,
        "--result-topic",
        result,
        "--checkpoint-interval",
        "1",
    )
    started.append(stack.submit_shared(*words, user="analytics", program="analytics"))
    yield started
    for job in started:
        job.cancel()


@pytest.fixture(scope="module")
def console(
    start_console: Callable[..., RunningConsole],
    stack: RunningStack,
    producer: SteeredProducer,
    jobs: list[Job],
) -> RunningConsole:
    return start_console("--flink-url", stack.stack.flink_url, "--producer-url", producer.url)


def test_a_posted_event_is_on_the_page(
    open_page: Callable[..., Page], console: RunningConsole, producer: SteeredProducer
) -> None:
    page = open_page(console.url)
    page.locator("#filter").fill("computer:ws-post")  # a frame holds the newest 60 of some hundred events
    expect(page.locator("#events .empty")).to_have_text("No event matches.")
    producer.post(make_event("posted to the producer", computer="WS-POST"))
    expect(page.locator("#events .event", has_text="posted to the producer")).to_be_visible()


def test_the_drawing_shows_the_real_pipeline(
    open_page: Callable[..., Page], console: RunningConsole, pipeline: Pipeline
) -> None:
    page = open_page(console.url)
    for job in ("bridge", "analytics"):
        node = page.locator(f"#node-{job}")
        expect(node).to_have_attribute("data-state", "good")
        expect(node.locator(".note")).to_have_text(AGO)
    expect(page.locator("#node-bridge .note")).to_contain_text("0 restarts")
    expect(page.locator("#node-analytics .figure")).to_have_text(re.compile(r"^1\s*job$"))
    expect(page.locator("#node-analytics .note")).to_have_text(re.compile(r"lag \d"))
    expect(page.locator("#node-producer .note")).to_have_text(re.compile(r"1 client · lag \d"))
    expect(page.locator("#node-processed .figure")).to_have_text(re.compile(r"^[1-9]\d*\s/s"))
    expect(page.locator("#jobs .state.running")).to_have_count(2)
    expect(page.locator("#kafka")).to_contain_text("win-event-analytics")
    expect(page.locator("#latency-legend")).to_have_text(re.compile(r"p50 \d.*p99 \d"))
    expect(page.locator("#notices")).to_be_empty()

    page.get_by_role("tab", name="events by level").click()
    expect(page.locator("#results tbody")).to_contain_text("Information")
    assert console.services() == {"kafka": "up", "flink": "up", "producer": "up", "cache": "off"}
    jobs = {job["name"]: job for job in console.get("status")["jobs"] if job["state"] == "RUNNING"}
    assert any(job["checkpoint_age"] is not None for job in jobs.values())
