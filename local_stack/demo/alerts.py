"""win-event-detect during the demo: its alerts as they appear, and their score at the end."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from threading import Event, Thread
from typing import IO, Protocol

from kafka_setup.defaults import ALERTS_TOPIC
from local_stack import shell_environment
from local_stack.demo import pipeline
from local_stack.health.peek import Peeked, all_of
from local_stack.layout import COMMANDS, Stack
from local_stack.processes import StartError

_DETECT = str(COMMANDS / "win-event-detect")


class Show(Protocol):
    def alert(self, line: str) -> None:
        """A new alert, or one that has grown."""


@contextmanager
def watched(demo_stack: Stack, events: str, show: Show) -> Iterator[None]:
    """Run win-event-detect on the topic of events as the user `detection`, as long as this is open."""
    log = demo_stack.logs / "detection.log"
    over = Event()
    with log.open("wb") as errors:
        detection = subprocess.Popen(
            [_DETECT, "--topic", events, "--output", "pretty", "--min-level", "high"],
            env=pipeline.shell(demo_stack) | shell_environment.login(demo_stack, "detection"),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends this process
        )
    assert detection.stdout is not None  # noqa: S101 - it is PIPE
    reader = Thread(target=_show_alerts, args=(detection.stdout, show, over), daemon=True)
    reader.start()
    try:
        yield
        if detection.poll() is not None:
            raise StartError("win-event-detect stopped by itself", log)
    finally:
        over.set()
        detection.terminate()
        detection.wait()


def _show_alerts(output: IO[str], show: Show, over: Event) -> None:
    for line in output:
        if not over.is_set():  # the table at its end only repeats the shown alerts
            show.alert(line.rstrip())


def score(demo_stack: Stack, events: str) -> str:
    """The table of `win-event-detect score` for the topic `events`, with the times of the alerts in Kafka."""
    alerts = demo_stack.directory / f"{ALERTS_TOPIC}.ndjson"
    _write(alerts, all_of(demo_stack, ALERTS_TOPIC))
    found = []
    for partition, rows in groupby(all_of(demo_stack, events), key=lambda row: row.partition):
        found.append(demo_stack.directory / f"{events}-{partition}.ndjson")  # each is in order
        _write(found[-1], rows)
    result = subprocess.run(
        [_DETECT, "score", "--alerts", alerts, *found], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise StartError(f"win-event-detect score failed: {result.stderr}")
    return result.stdout


def _write(file: Path, rows: Iterable[Peeked]) -> None:
    with file.open("wb") as lines:
        lines.writelines((row.value or b"") + b"\n" for row in rows)
