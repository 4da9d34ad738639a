"""Faults of the network: ends, resets, silence and slowness between the processes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from faults.experiment import RECOVERY_LIMIT, Experiment
from faults.pipeline import Pipeline
from faults.proxy import Proxy, cuts_at_every_byte
from running import wait_until

# With LF. One event in a hundred is so short, and Flink's socket source waits 0.5 s before it connects again.
SHORT_LINES = range(332, 365)
PAUSE_BETWEEN = 3.0


def fin_mid_line(experiment: Experiment) -> str:
    cuts = cuts_at_every_byte(SHORT_LINES)
    for pipeline in experiment.pipelines:
        pipeline.proxy.cuts_to_come = iter(cuts)
        pipeline.proxy.finish()
    for pipeline in experiment.pipelines:
        wait_until(lambda pipeline=pipeline: pipeline.proxy.cuts == len(cuts), "all connections are cut", 900)
    experiment.wait_for_flow()
    return f"{len(cuts)} connections ended inside a line, after 1, 2, 3 … {len(cuts)} of its bytes"


def resets(experiment: Experiment) -> str:
    for _ in range(5):
        proof = one_reset(experiment)
        experiment.load(PAUSE_BETWEEN)
    return f"5 × {proof}; restarts {experiment.restarts()}"


def one_reset(experiment: Experiment) -> str:
    before = {}

    def broken_in(pipeline: Pipeline) -> int:
        before[pipeline] = pipeline.proxy.connections
        return pipeline.proxy.reset()

    since = time.monotonic()
    broken = [
        wait_until(lambda each=each: broken_in(each), "there is a connection to break", RECOVERY_LIMIT)
        for each in experiment.pipelines
    ]

    def reconnected(pipeline: Pipeline) -> None:
        wait_until(
            lambda: pipeline.proxy.connections > before[pipeline], "the job reconnects", RECOVERY_LIMIT
        )

    experiment.wait_for_flow(since, reconnected)
    return f"{sum(broken)} connections broken by RST, and made anew"


def producer_black_hole(experiment: Experiment) -> str:
    proxies = [pipeline.proxy for pipeline in experiment.pipelines]
    _check_that_they_carry(proxies, experiment)
    for proxy in proxies:
        proxy.black_hole()
    passed = _passed(proxies, experiment, 60)
    for proxy in proxies:
        proxy.heal()
    experiment.wait_for_flow()
    return f"for 60 s {passed} bytes passed between producer and bridge"


def cable_pulled(experiment: Experiment) -> str:
    cables = [
        (pipeline.namespace, pipeline.producer_port)
        for pipeline in experiment.pipelines
        if pipeline.namespace
    ]
    assert all(cable.answers(port) for cable, port in cables)
    for cable, _ in cables:
        cable.pull()
    assert not any(cable.answers(port, seconds=1) for cable, port in cables), "packets still get through"
    experiment.load(60)
    for cable, _ in cables:
        cable.plug_in()
    experiment.wait_for_flow()
    return f"{len(cables)} producers, each in a network namespace, unreachable for 60 s"


def kafka_black_hole(experiment: Experiment) -> str:
    proxy = experiment.broker_proxy
    assert proxy, "the broker does not advertise a proxy"
    _check_that_they_carry([proxy], experiment)
    proxy.black_hole()
    passed = _passed([proxy], experiment, 60)
    proxy.heal()
    experiment.wait_for_flow()
    return f"for 60 s {passed} bytes passed between the cluster and Kafka"


def _forwarded(proxies: Sequence[Proxy], experiment: Experiment, seconds: float) -> list[int]:
    """How many bytes each proxy forwards while the load runs for these seconds."""
    before = [proxy.forwarded for proxy in proxies]
    experiment.load(seconds)
    return [proxy.forwarded - count for proxy, count in zip(proxies, before, strict=True)]


def _check_that_they_carry(proxies: Sequence[Proxy], experiment: Experiment) -> None:
    passed = _forwarded(proxies, experiment, 1)
    assert all(passed), f"bytes that pass through the proxies: {passed}"


def _passed(proxies: Sequence[Proxy], experiment: Experiment, seconds: float) -> int:
    """How many bytes passed while nothing may pass, without the one piece that each pump had already read."""
    experiment.load(1)
    passed = sum(_forwarded(proxies, experiment, seconds - 1))
    assert passed == 0, f"{passed} bytes passed through the black hole"
    return passed


def slow_network(experiment: Experiment) -> str:
    for pipeline in experiment.pipelines:
        pipeline.proxy.delay = 0.2
    experiment.load(5)
    for pipeline in experiment.pipelines:
        pipeline.proxy.delay, pipeline.proxy.bytes_per_second = 0.0, 20_000
    rates = [
        count / 10
        for count in _forwarded([pipeline.proxy for pipeline in experiment.pipelines], experiment, 10)
    ]
    assert all(0 < rate < 40_000 for rate in rates), f"bytes per second where 20,000 may pass: {rates}"
    for pipeline in experiment.pipelines:
        pipeline.proxy.heal()
    experiment.wait_for_flow()
    return f"5 s with 200 ms per piece, then 10 s at {max(rates) / 1000:.0f} kB/s instead of the load's"
