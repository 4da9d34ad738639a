"""The delay from a POST to the console's page, and to the alert."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from consoles import RunningConsole
from running import RunningProducer, wait_until

from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import BIN
from local_stack.layout import REPOSITORY
from producer.events.event_time import to_text

PERCENTILES = (50.0, 99.0)
_RATE = 1_000  # further events per second, beside the posts
_PAUSE = 0.21  # seconds between two posts: no multiple of the page's pause between two frames
# With all our rules, a frame, which has only the newest alerts, would be full of logons over the network.
_RULES = REPOSITORY / "detection" / "rules" / "log_cleared.yml"
_PAGE, _ALERT = "page", "alert on the page"


class _Run:
    """One run yields every figure; the cases of a section take them one after the other."""

    def __init__(self, cluster: Cluster, posts: int) -> None:
        self._cluster, self._posts = cluster, posts
        self._found: dict[tuple[str, float], Sample] = {}

    def percentile(self, seen: str, wanted: float) -> Sample:
        """Milliseconds from the POST."""
        if (seen, wanted) not in self._found:
            for where, times in self._times().items():
                ordered = sorted(times)
                for each in PERCENTILES:
                    place = min(int(len(ordered) * each / 100), len(ordered) - 1)
                    self._found[where, each] = Sample(ordered[place] * 1000, len(ordered))
        return self._found.pop((seen, wanted))

    def _times(self) -> dict[str, list[float]]:
        """The seconds of each post, by the place where they end."""
        topics = self._cluster.topics()
        with ExitStack() as cleanup:
            cleanup.callback(self._cluster.remove, topics)
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            producer = RunningProducer(folder, "--rate", str(_RATE), "--http-port", "0")
            cleanup.callback(producer.stop)
            told = wait_until(lambda: re.search(r"on (http://127\.0\.0\.1:\d+)", producer.text()), "its API")
            cleanup.callback(self._cluster.submit(producer.port, topics).cancel)
            cleanup.callback(_end, self._detection(topics[0], folder / "detection.log"))
            console = RunningConsole(
                folder / "console.log", self._cluster.running.shell("observer"), "--events-topic", topics[0]
            )
            cleanup.callback(console.stop)
            wait_until(lambda: self._cluster.records(topics[0]) > _RATE, "events flow", 120)
            page = _Page(console.url)
            cleanup.callback(page.close)
            return _posted(told[1], page, self._posts)

    def _detection(self, topic: str, log: Path) -> subprocess.Popen[bytes]:
        words = [str(BIN / "win-event-detect"), "--topic", topic, "--group", f"win-event-detection-{topic}"]
        words += ["--rules", str(_RULES)]
        environment = {**os.environ, **self._cluster.running.shell("detection")}
        with log.open("wb") as file:
            return subprocess.Popen(words, stdout=file, stderr=file, env=environment)


class _Page:
    """The stream for a browser: when the event and the alert of each computer first arrived."""

    def __init__(self, url: str) -> None:
        self.seen: dict[str, dict[str, float]] = {_PAGE: {}, _ALERT: {}}
        self._closed = False
        self._stream = urlopen(f"{url}/api/v1/stream?filter=POST-", timeout=60)  # noqa: S310 - ours
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            if self._closed:
                return
            if line.startswith(b"data: "):
                frame, now = json.loads(line[6:]), time.monotonic()
                self._note(_PAGE, (each["computer"] for each in frame["events"]["lines"]), now)
                self._note(_ALERT, _computers(frame["rows"].get("alerts", {}).get("rows", ())), now)

    def _note(self, where: str, computers: Iterator[str], now: float) -> None:
        for computer in computers:
            self.seen[where].setdefault(computer, now)

    def close(self) -> None:
        self._closed = True
        self._thread.join(10)
        self._stream.close()


def _computers(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield from re.findall(r"POST-\d+", json.dumps(row))


def _posted(api: str, page: _Page, count: int) -> dict[str, list[float]]:
    """Send posts. The first ones do not count, because some part may not be ready."""
    for number in range(1_000_000, 1_000_600):
        _post(api, f"POST-{number}")
        if page.seen[_ALERT]:
            break
        time.sleep(0.5)
    sent: dict[str, float] = {}
    for number in range(count):
        computer = f"POST-{number}"
        sent[computer] = time.monotonic()
        _post(api, computer)
        time.sleep(_PAUSE)
    for where, seen in page.seen.items():
        wait_until(_all_of(sent, seen), f"every post as {where}", 60)
    return {where: [seen[each] - at for each, at in sent.items()] for where, seen in page.seen.items()}


def _all_of(sent: dict[str, float], seen: dict[str, float]) -> Callable[[], bool]:
    return lambda: sent.keys() <= seen.keys()


def _post(api: str, computer: str) -> None:
    """An event for a cleared Security log, for which one of our rules alerts at once."""
    event = {
        "timestamp": to_text(time.time_ns() // 100), "level": "Information", "source": "Security",
        "provider": "Microsoft-Windows-Eventlog", "event_id": 1102, "computer": computer,
        "message": "The audit log was cleared.",
    }  # fmt: skip
    request = Request(f"{api}/events", json.dumps(event).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=60) as answer:  # noqa: S310 - our own producer
        answer.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(60)


def sections(quick: bool, cluster: Cluster) -> list[Section]:
    run = _Run(cluster, 20 if quick else 150)
    cases = [
        Case(f"to the {where} p{each:g}", partial(run.percentile, where, each))
        for where in (_PAGE, _ALERT)
        for each in PERCENTILES
    ]
    note = (
        "The time from the request to the frame that the console sends to a browser, while "
        f"{_RATE:,} events/s flow: "
        "producer, bridge, topic, console; for the alert also `win-event-detect --topic`, with "
        "`log_cleared.yml` alone. The page gets a frame every 0.5 s."
    )
    return [Section("posted", "From POST to page and alert", "ms", cases, note=note)]
