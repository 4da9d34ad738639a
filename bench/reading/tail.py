"""Lines a second of win-event-tail, beside plain `cat` on the same socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.harness import Case, Section
from bench.log_server import LogServer
from bench.measurement import Sample
from bench.processes import BIN, run
from bench.reading.events import events

_CAT = "cat, for comparison"


def sections(quick: bool) -> list[Section]:
    count = 200_000 if quick else 1_000_000
    outputs = {"json": (), "json, --level error": ("--level", "error+"), "full": (), "pretty": ()}
    cases = [Case(_CAT, partial(_cat, count))]
    for name, options in list(outputs.items())[: 1 if quick else None]:
        words = ("--output", name.partition(",")[0], *options)
        cases.append(Case(name, partial(_tail, count, words)))
    title = "win-event-tail from a filled log into /dev/null"
    return [Section("tail", title, "lines/s", cases, "json", note="The start of the process counts.")]


def _tail(count: int, options: tuple[str, ...]) -> Sample:
    with _served(count) as port:
        command = [
            str(BIN / "win-event-tail"),
            "--port",
            str(port),
            "--from-start",
            "--no-reconnect",
            *options,
        ]
        done = run(command, discard=True)
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


def _cat(count: int) -> Sample:
    with _served(count) as port:
        done = run(["bash", "-c", f"exec cat < /dev/tcp/127.0.0.1/{port}"], discard=True)
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


@contextmanager
def _served(count: int) -> Iterator[int]:
    server = LogServer(events(count))
    server.closes = True
    try:
        yield server.port
    finally:
        server.close()
