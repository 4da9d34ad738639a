"""A row of the matrix as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faults.experiment import Experiment

ALL_MODES = ("socket", "plain-resume", "auto", "exactly-once")


def _nothing() -> str:
    return ""


@dataclass(frozen=True)
class Fault:
    """`inject` does the fault, heals it, waits for the flow, and returns the proof that it happened.

    `{folder}` in `producer` and `environment` (the producer's, too) is the pipeline's own folder.
    `rejects`: whole events go into the rejected topic, and should.
    `namespaced`: the producer runs in a network namespace of its own, without a proxy.
    `restarts`: how often it breaks the socket source's job or connection, if that is known: its loss is then
    held against the printed bound, and without a restart nothing may be lost.
    `rate`: events per second, if the row has another rate than all others. The modes then run one after the
    other, because the machine can carry this rate only once, not four times.
    `missing` says what the machine lacks for this row; empty when it can run.
    """

    name: str
    title: str
    inject: Callable[[Experiment], str]
    modes: tuple[str, ...] = ALL_MODES
    job: tuple[str, ...] = ()
    producer: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    rejects: bool = False
    missing: Callable[[], str] = _nothing
    brokers: int = 1
    namespaced: bool = False
    restarts: int | None = None
    rate: int | None = None
