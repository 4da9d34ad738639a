"""The speed of the intake: events in batches and one by one, and the stream beside it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import psutil

from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib, producer

_BATCH = 1_000
_LIVE, _POSTED = 2_000, 50_000  # events per second
_PIECE = 1 << 20


class _Posted(NamedTuple):
    events: int
    seconds: float
    p50: float  # ms per request
    p99: float


def sections(quick: bool) -> list[Section]:
    seconds = 3.0 if quick else 20.0
    batches, single = f"batches of {_BATCH:,}", "one by one"
    return [
        Section(
            "posting",
            "Events per second by POST over one connection",
            "events/s",
            [Case(batches, partial(_posted, _BATCH, seconds)), Case(single, partial(_posted, 1, seconds))],
            note="NDJSON of 1,180-byte events; the client is a separate process on the same two cores.",
        ),
        Section(
            "posting time",
            "From request to answer for 99 % of single events",
            "ms",
            [Case(single, partial(_answered, seconds))],
        ),
        Section(
            "beside posts",
            f"A stream of {_LIVE:,} events/s while {_POSTED:,} events/s are posted, as a share of its rate",
            "achieved/asked",
            [
                Case("alone", partial(_live, 0, seconds)),
                Case("beside posts", partial(_live, _POSTED, seconds)),
            ],
            yardstick="alone",
        ),
    ]


def _posted(batch: int, seconds: float) -> Sample:
    with _http_producer("--rate", "1") as (_, port, process), _poster(port, seconds, batch) as poster:
        before = cpu_seconds([process])
        done = _result(poster)
        cost = cpu_seconds([process]) - before
        return Sample(done.events / done.seconds, done.events, cost, memory_mib([process]))


def _answered(seconds: float) -> Sample:
    with _http_producer("--rate", "1") as (_, port, _process), _poster(port, seconds, 1) as poster:
        return Sample(_result(poster).p99)


def _live(posted: int, seconds: float) -> Sample:
    with (
        _http_producer("--rate", str(_LIVE)) as (stream, port, _),
        socket.create_connection(("127.0.0.1", stream)) as client,
    ):
        if not posted:
            return Sample(_generated(client, seconds) / _LIVE)
        with _poster(port, seconds + 6, _BATCH, posted) as poster:
            share = _generated(client, seconds) / _LIVE
            done = _result(poster)
            if done.events / done.seconds < 0.9 * posted:
                raise RuntimeError(f"only {done.events / done.seconds:,.0f} events/s were posted")
            return Sample(share)


def _generated(client: socket.socket, seconds: float) -> float:
    """Generated events per second for one client, after three seconds of start-up."""
    until = time.monotonic() + 3.0
    while time.monotonic() < until:
        client.recv(_PIECE)
    begin, last, count = time.monotonic(), 0.0, 0
    while (last := time.monotonic()) - begin < seconds:
        count += client.recv(_PIECE).count(b'{"timestamp":')
    return count / (last - begin)


@contextmanager
def _poster(port: int, seconds: float, batch: int, rate: float = 0) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "bench.producer.poster", str(port), str(seconds), str(batch), str(rate)]
    poster = subprocess.Popen(words, stdout=subprocess.PIPE)
    try:
        yield poster
    finally:
        poster.kill()
        poster.wait()


def _result(poster: subprocess.Popen[bytes]) -> _Posted:
    told, _ = poster.communicate()
    if poster.returncode:
        raise RuntimeError("the poster failed")
    return _Posted(*json.loads(told))


@contextmanager
def _http_producer(*options: str) -> Iterator[tuple[int, int, psutil.Process]]:
    """The port of the stream, that of HTTP, and the process."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with producer(*options, "--http-port", str(port)) as (stream, process):
        yield stream, port, process
