"""A console over the session's broker, with topics that no other module writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from consoles import Pipeline, RunningConsole, SteeredProducer
from playwright.sync_api import Browser, Page, expect, sync_playwright
from running import RunningStack

from local_stack.layout import REPOSITORY

CHROMIUM = REPOSITORY / ".tools" / "chromium" / "chromium"
WAIT = 60_000  # milliseconds
expect.set_options(timeout=WAIT)


@pytest.fixture(scope="module")
def pipeline(broker: RunningStack, request: pytest.FixtureRequest) -> Pipeline:
    suffix = f"console_{request.path.stem.removeprefix('test_')}"
    broker.create_topics(suffix, with_results=True)
    return Pipeline(broker, suffix)


@pytest.fixture(scope="module")
def start_console(
    pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RunningConsole]]:
    """Options → a running console. All consoles end with the module, each with exit code 0."""
    folder = tmp_path_factory.mktemp("console")
    with ExitStack() as opened:

        def start(*options: str, **variables: str) -> RunningConsole:
            # A test of `up --cache` may have left its cache in the stack of this process.
            environment = {**pipeline.broker.shell("observer"), "WIN_EVENT_CACHE": "", **variables}
            number = len(list(folder.iterdir()))
            console = RunningConsole(folder / f"{number}.log", environment, *pipeline.options, *options)
            opened.callback(_stop, console)
            return console

        yield start


def _stop(console: RunningConsole) -> None:
    if console.process.poll() is None:
        assert console.stop() == 0, console.text()


@pytest.fixture(scope="module")
def producer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteeredProducer]:
    started = SteeredProducer(tmp_path_factory.mktemp("steered"))
    yield started
    started.running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, headless, which scripts/get-chromium unpacks."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Address → a new page. A message on its console fails the test, except about a lost connection."""
    said: list[str] = []
    with ExitStack() as opened:

        def open_one(url: str, live: bool = True, **options: Any) -> Page:
            page = opened.enter_context(browser.new_context(reduced_motion="reduce", **options)).new_page()
            page.set_default_timeout(WAIT)
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(url)
            if live and page.locator("#live").count():
                expect(page.locator("#live")).to_have_text("Live")
            return page

        yield open_one
    assert [line for line in said if "Failed to load resource" not in line] == []
