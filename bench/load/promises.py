"""The promises, and which of them were kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolkit.ranks import percentile

RESULT_SECONDS = 5.0
CPU_PERCENT, MEMORY_PERCENT = 70.0, 80.0
_SHARE = 0.99  # share of the requested rate: the last second is never complete


@dataclass(frozen=True)
class Found:
    """The figures of a run. Latencies in milliseconds, from the event's time (or the post) to Kafka's append.

    `rate`: messages per second of one partition. `cpu` (the mean) and `memory` (the highest value) are those
    of the stack's own processes, in percent of the machine. `lag`: the largest number of events that waited
    in the producer's log.
    """

    asked: float
    rate: float
    lost: int
    latencies: Sequence[int]
    posted: Sequence[int]
    lag: int
    cpu: float
    memory: float


@dataclass(frozen=True)
class Promise:
    name: str
    promised: str
    found: str
    holds: bool


def judged(found: Found) -> list[Promise]:
    slowest = max((*found.latencies, *found.posted), default=None)
    posts = max(found.posted, default=None)
    return [
        Promise(
            "messages/s of one partition",
            f">= {found.asked:,.0f}",
            f"{found.rate:,.0f}",
            found.rate >= found.asked * _SHARE,
        ),
        Promise("events lost", "0", f"{found.lost:,}", found.lost == 0),
        _seconds("event to Kafka, slowest", slowest),
        _seconds("API to Kafka, slowest", posts),
        Promise("CPU of the stack", f"< {CPU_PERCENT:.0f} %", f"{found.cpu:.0f} %", found.cpu < CPU_PERCENT),
        Promise(
            "memory of the stack",
            f"< {MEMORY_PERCENT:.0f} %",
            f"{found.memory:.0f} %",
            found.memory < MEMORY_PERCENT,
        ),
    ]


def _seconds(name: str, milliseconds: int | None) -> Promise:
    """A promise about seconds; without any value, it is broken."""
    told = "nothing arrived" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
    return Promise(
        name,
        f"< {RESULT_SECONDS:.0f} s",
        told,
        milliseconds is not None and milliseconds < RESULT_SECONDS * 1000,
    )


def percentiles(values: Iterable[int], wanted: Sequence[float] = (50, 95, 99)) -> dict[str, int | None]:
    """By the nearest rank."""
    ordered = sorted(values)
    return {f"p{each:g}": percentile(ordered, each) for each in wanted}
