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
            [Case(_clients(count), partial(_idle, count), x=count) for count in crowd],
        ),
    ]


def _clients(count: int) -> str:
    return f"{count:,} client{'s' if count > 1 else ''}"


def _serve(clients: int) -> Sample:
    with _filled() as (port, process):
        end = log_end(port)
        each = min(end, 2_000_000_000 // clients)
        takers = Takers(port, clients)
        before = cpu_seconds([process])
        try:
            seconds = takers.take(each)
        finally:
            takers.close()
        events = int(_EVENTS * each / end * clients)
        return Sample(
            each * clients / seconds / 1e6, events, cpu_seconds([process]) - before, memory_mib([process])
        )


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
def _filled() -> Iterator[tuple[int, psutil.Process]]:
    with producer("--rate", "max", "--count", str(_EVENTS), "--retain-bytes", str(2**30)) as (port, process):
        while True:
            end = log_end(port)
            time.sleep(0.3)
            if log_end(port) == end > 0:
                break
        yield port, process
