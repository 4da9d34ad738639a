"""The reading side: win-event-tail and win-event-verify over the same events."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial

from bench.harness import Case, Section
from bench.log_server import LogServer
from bench.measurement import Sample
from bench.processes import BIN, run
from producer.events.generator import Generator, GeneratorSettings

SEED, HOSTS = 1, 50
_START = "The start of the process counts."


def sections(quick: bool) -> list[Section]:
    count = 200_000 if quick else 1_000_000
    return [
        Section(
            "tail",
            "win-event-tail from a filled log into /dev/null",
            "lines/s",
            [
                Case(output, partial(_tail, output, count))
                for output in ("json", "full", "pretty")[: 1 if quick else 3]
            ],
            yardstick="json",
            note=_START,
        ),
        Section(
            "verify",
            "win-event-verify over a file",
            "records/s",
            [
                Case("compared with itself", partial(_verify, count, ())),
                Case(
                    "compared with the seed",
                    partial(_verify, count, ("--seed", str(SEED), "--count", str(count))),
                ),
            ][: 1 if quick else 2],
            yardstick="compared with itself",
            note=_START,
        ),
    ]


def _tail(output: str, count: int) -> Sample:
    with _served(count) as port:
        where = ["--port", str(port), "--count", str(count), "--from-start"]
        done = run([str(BIN / "win-event-tail"), *where, "--output", output], discard=True)
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


def _verify(count: int, judge: tuple[str, ...]) -> Sample:
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        file.write(_events(count))
        file.flush()
        hosts = ["--hosts", str(HOSTS)] if judge else []
        done = run([str(BIN / "win-event-verify"), "--file", file.name, *judge, *hosts])
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


@contextmanager
def _served(count: int) -> Iterator[int]:
    server = LogServer(_events(count))
    try:
        yield server.port
    finally:
        server.close()


@lru_cache(maxsize=1)
def _events(count: int) -> bytes:
    """The producer's own events, made once."""
    generator = Generator(GeneratorSettings(seed=SEED, hosts=HOSTS))
    return b"".join(generator.take(min(1000, count - done), step=1).data() for done in range(0, count, 1000))
