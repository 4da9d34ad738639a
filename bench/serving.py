"""What the producer can serve: a filled log to many clients, and what a connected client costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib, producer
from bench.readers import Takers, log_end

_EVENTS = 200_000  # about 150 MB of log


def sections(quick: bool) -> list[Section]:
    crowd = (1, 100) if quick else (1, 10, 100, 1000)
    return [
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


def _clients(count: int) -> str:
    return f"{count:,} client{'s' if count > 1 else ''}"


def _serve(clients: int) -> Sample:
    """Some 2 GB in all. Nothing stands in the log behind what is counted, and nobody reads less than all."""
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
            time.sleep(1.5)  # past the grace, every thread streams
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
