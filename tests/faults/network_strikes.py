"""Faults of the network: ends, resets, silence and slowness between the processes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from faults.lane import Lane
from faults.proxy import Proxy, cuts_at_every_byte
from faults.situation import RECOVERY_LIMIT, Situation
from running import wait_until

# With LF. One event in a hundred is so short, and Flink's socket source waits 0.5 s before it connects again.
SHORT_LINES = range(332, 365)
PAUSE_BETWEEN = 3.0


def fin_mid_line(situation: Situation) -> str:
    cuts = cuts_at_every_byte(SHORT_LINES)
    for lane in situation.lanes:
        lane.proxy.cuts_to_come = iter(cuts)
        lane.proxy.finish()
    for lane in situation.lanes:
        wait_until(lambda lane=lane: lane.proxy.cuts == len(cuts), "all connections are cut", 900)
    situation.wait_for_flow()
    return f"{len(cuts)} connections ended inside a line, after 1, 2, 3 … {len(cuts)} of its bytes"


def resets(situation: Situation) -> str:
    for _ in range(5):
        proof = one_reset(situation)
        situation.load(PAUSE_BETWEEN)
    return f"5 × {proof}; restarts {situation.restarts()}"


def one_reset(situation: Situation) -> str:
    before = {lane: lane.proxy.connections for lane in situation.lanes}
    since = time.monotonic()
    broken = [lane.proxy.reset() for lane in situation.lanes]
    assert all(broken), f"nothing to reset: {broken}"

    def reconnected(lane: Lane) -> None:
        wait_until(lambda: lane.proxy.connections > before[lane], "the job reconnects", RECOVERY_LIMIT)

    situation.wait_for_flow(since, reconnected)
    return f"{sum(broken)} connections broken by RST, and made anew"


def producer_black_hole(situation: Situation) -> str:
    proxies = [lane.proxy for lane in situation.lanes]
    _check_that_they_carry(proxies, situation)
    for proxy in proxies:
        proxy.black_hole()
    passed = _passed(proxies, situation, 60)
    for proxy in proxies:
        proxy.heal()
    situation.wait_for_flow()
    return f"for 60 s {passed} bytes passed between producer and bridge"


def cable_pulled(situation: Situation) -> str:
    cables = [(lane.namespace, lane.producer_port) for lane in situation.lanes if lane.namespace]
    assert all(cable.answers(port) for cable, port in cables)
    for cable, _ in cables:
        cable.pull()
    assert not any(cable.answers(port) for cable, port in cables), "packets still get through"
    situation.load(60)
    for cable, _ in cables:
        cable.plug_in()
    situation.wait_for_flow()
    return f"{len(cables)} producers, each in a network namespace, unreachable for 60 s"


def kafka_black_hole(situation: Situation) -> str:
    proxy = situation.broker_proxy
    assert proxy, "the broker does not advertise a proxy"
    _check_that_they_carry([proxy], situation)
    proxy.black_hole()
    passed = _passed([proxy], situation, 60)
    proxy.heal()
    situation.wait_for_flow()
    return f"for 60 s {passed} bytes passed between the cluster and Kafka"


def _forwarded(proxies: Sequence[Proxy], situation: Situation, seconds: float) -> list[int]:
    """Bytes that each of them lets through while the load runs for so long."""
    before = [proxy.forwarded for proxy in proxies]
    situation.load(seconds)
    return [proxy.forwarded - count for proxy, count in zip(proxies, before, strict=True)]


def _check_that_they_carry(proxies: Sequence[Proxy], situation: Situation) -> None:
    passed = _forwarded(proxies, situation, 1)
    assert all(passed), f"bytes that pass through the proxies: {passed}"


def _passed(proxies: Sequence[Proxy], situation: Situation, seconds: float) -> int:
    """Bytes that went through while nothing may, without the piece each pump may have had in its hands."""
    situation.load(1)
    passed = sum(_forwarded(proxies, situation, seconds - 1))
    assert passed == 0, f"{passed} bytes passed through the black hole"
    return passed


def slow_network(situation: Situation) -> str:
    for lane in situation.lanes:
        lane.proxy.delay = 0.2
    situation.load(5)
    for lane in situation.lanes:
        lane.proxy.delay, lane.proxy.bytes_per_second = 0.0, 20_000
    rates = [count / 10 for count in _forwarded([lane.proxy for lane in situation.lanes], situation, 10)]
    assert all(0 < rate < 40_000 for rate in rates), f"bytes a second where 20,000 may pass: {rates}"
    for lane in situation.lanes:
        lane.proxy.heal()
    situation.wait_for_flow()
    return f"5 s with 200 ms per piece, then 10 s at {max(rates) / 1000:.0f} kB/s instead of the load's"
