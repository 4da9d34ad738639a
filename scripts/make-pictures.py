"""Makes the pictures of README and docs/CONSOLE.md again: the live page over a pipeline of its own.

`make pictures` writes them into docs/pictures. PICTURES_SECONDS says how long events flow first (240); the
charts show five minutes. It needs the browser of `make tools`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from local_stack.cluster import submission
from local_stack.demo import alerts, pipeline
from local_stack.layout import REPOSITORY, Stack
from local_stack.processes import StartError
from local_stack.terminal import TerminalReporter, errors_told

CHROMIUM = REPOSITORY / ".tools" / "chromium" / "chromium"
LIGHT = ("console-1280.png", ViewportSize(width=1280, height=925))
DARK = ("console-390.png", ViewportSize(width=390, height=844))
PRODUCER = ("--rate", "800", "--scenario", "brute-force@20/h", "--scenario", "password-spray@20/h")
QUESTIONS = "level_counts,level_windows,logon_sessions,brute_force"
# Attacks only: alerts of the level informational, hundreds a minute, would push them out of the picture.
os.environ["WIN_EVENT_RULES"] = str(REPOSITORY / "detection" / "rules" / "brute_force.yml")


class Show(TerminalReporter):
    def alert(self, line: str) -> None:
        """The alerts are shown by the page."""


def main(folder: Path, seconds: float) -> None:
    show = Show()
    with (
        errors_told(show),
        tempfile.TemporaryDirectory() as directory,
        pipeline.own_stack(Path(directory), show) as stack,
        alerts.watched(stack, pipeline.PROCESSED, show),
        pipeline.producer(stack, PRODUCER) as port,
    ):
        pipeline.submit(stack, port, show)
        _ask(stack, ["analytics", QUESTIONS])
        show.doing(f"letting events flow for {seconds:.0f} s")
        time.sleep(seconds)
        _take(stack, folder)
        show.done(f"pictures in {folder}")


def _ask(stack: Stack, words: Sequence[str]) -> None:
    for _line in submission.submit(stack, submission.program(words), ()):
        pass


def _take(stack: Stack, folder: Path) -> None:
    """Both widths, when the page is live."""
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM) as browser:
        for (name, size), scheme in ((LIGHT, "light"), (DARK, "dark")):
            with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
                page = context.new_page()
                page.goto(stack.console_url)
                _take_live(page, folder / name)


def _take_live(page: Page, file: Path) -> None:
    """A picture of the live page. On a busy machine the picture itself may interrupt the page for seconds."""
    live = page.get_by_text("Live", exact=True)
    for _attempt in range(10):
        live.wait_for(timeout=60_000)
        page.wait_for_timeout(5_000)  # the rates in the drawing settle
        live.wait_for(timeout=60_000)
        page.screenshot(path=file)
        if live.is_visible():
            return
    raise StartError("the page does not stay live: is the machine too busy?")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if sys.argv[1:] else REPOSITORY / "docs" / "pictures",
        float(os.environ.get("PICTURES_SECONDS", "240")),
    )
