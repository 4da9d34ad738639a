"""Lines per second of win-event-tail, beside plain `cat` on the same socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.harness import Case, Section
from bench.log_server import LogServer
from bench.measurement import Sample
from bench.processes import BIN, run
from bench.reading.events import events


def sections(quick: bool) -> list[Section]:
    count = 200_000 if quick else 1_000_000
    outputs = ("json",) if quick else ("json", "full", "pretty")
    cases = [Case(output, partial(_tail, count, output)) for output in outputs]
    cases.append(Case("cat, for comparison", partial(_cat, count)))
    title = "win-event-tail from a filled log into /dev/null"
    return [Section("tail", title, "lines/s", cases, "json", note="The start of the process is included.")]


def _tail(count: int, output: str) -> Sample:
    with _served(count) as port:
        where = ("--port", str(port), "--from-start", "--count", str(count))
        done = run([str(BIN / "win-event-tail"), *where, "--output", output], discard=True)
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
