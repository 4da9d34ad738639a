"""The speed of serving: a filled log, a live stream to many clients, and idle clients."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial

import psutil

from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib, producer
from bench.producer.clients import Takers, log_end
from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings

_EVENTS = 200_000  # about 150 MB of log
_START = "2026-01-05T08:00:00"


def sections(quick: bool) -> list[Section]:
    crowd = (1, 100) if quick else (1, 10, 100, 1000)
    return [
        _live(quick),
        Section(
            "serving",
            "Serving a filled log, all clients together",
            "MB/s",
            [Case(_clients(count), partial(_serve, count), x=count) for count in crowd],
            yardstick=_clients(1),
            axis="clients",
        ),
        Section(
            "connected clients",
            "Memory for clients that are connected and idle",
            "MiB",
            [Case(_clients(count), partial(_idle, count), x=count) for count in crowd[-1 if quick else 0 :]],
        ),
    ]


def _live(quick: bool) -> Section:
    """Serve at a rate that the machine can keep: the rate of the slowest client shows whether it lags."""
    rate, seconds = 2_000, 15 if quick else 30
    good = "50 clients"
    cases = [
        Case(good, partial(_streamed, rate, seconds, 50, 0)),
        Case("50 clients beside one that reads nothing", partial(_streamed, rate, seconds, 50, 1)),
    ]
    if not quick:
        cases.append(Case("100 clients", partial(_streamed, rate, seconds, 100, 0)))
    note = f"A live stream of {rate:,} events/s; every client's bytes are compared with the seed's."
    return Section("live", "Events per second to the slowest client", "events/s", cases, good, note)


def _streamed(rate: int, seconds: int, clients: int, stalled: int) -> Sample:
    count = rate * seconds
    options = ("--rate", str(rate), "--count", str(count), "--start-time", _START, "--exit-when-done")
    waiting = ("--wait-for-clients", str(clients + stalled), "--retain-bytes", "24000000")
    with producer(*options, *waiting) as (port, process):
        stuck, takers = Takers(port, stalled), Takers(port, clients)
        try:
            stuck.ask()
            takers.ask()
            took = takers.compare(_told(count))
            return Sample(count / took, clients * count, cpu_seconds([process]), memory_mib([process]))
        finally:
            stuck.close()
            takers.close()


@lru_cache(maxsize=2)
def _told(count: int) -> bytes:
    """The content of the log according to the seed."""
    generator = Generator(GeneratorSettings(seed=1, start_time=datetime.fromisoformat(f"{_START}+00:00")))
    return b"".join(generator.take(min(1000, count - done)).data() for done in range(0, count, 1000))


def _clients(count: int) -> str:
    return f"{count:,} client{'s' if count > 1 else ''}"


def _serve(clients: int) -> Sample:
    """Serve about 2 GB in total. Every client reads the whole log."""
    made, turns = min(_EVENTS, 2_000_000 // clients), max(10 // clients, 1)
    with _filled(made) as (port, process):
        each, seconds, peak = log_end(port), 0.0, 0.0
        before = cpu_seconds([process])
        for _ in range(turns):
            takers = Takers(port, clients)
            try:
                seconds += takers.take(each)
                peak = max(peak, memory_mib([process]))
            finally:
                takers.close()
        readings = turns * clients
        cost = cpu_seconds([process]) - before
        return Sample(readings * each / seconds / 1e6, readings * made, cost, peak)


def _idle(clients: int) -> Sample:
    with producer("--rate", "1", "--max-clients", str(clients)) as (port, process):
        before = memory_mib([process])
        takers = Takers(port, clients)
        try:
            time.sleep(1.5)  # after the grace period, every thread streams
            return Sample(memory_mib([process]) - before)
        finally:
            takers.close()


@contextmanager
def _filled(events: int) -> Iterator[tuple[int, psutil.Process]]:
    with producer("--rate", "max", "--count", str(events), "--retain-bytes", str(2**30)) as (port, process):
        while True:
            end = log_end(port)
            time.sleep(0.3)
            if log_end(port) == end > 0:
                break
        yield port, process
