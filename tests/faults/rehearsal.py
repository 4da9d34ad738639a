"""Runs one scenario: lanes up, load on, fault, healing, fresh events, audit, lanes down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from faults.lane import CHECKPOINT_SECONDS, Lane, Load, submit_all
from faults.modes import Mode
from faults.namespace import Namespace
from faults.producer_rows import Finding, ProducerRow
from faults.results import Result, judge
from faults.scenario import Scenario
from faults.situation import Situation
from faults.stage import Stage
from running import wait_until

RATE = 1000
FRESH_SECONDS = 4.0  # of load after the last recovery
SETTLE_SECONDS = 40.0  # an audit is final when nothing has changed for so long and something is still missing
Say = Callable[[str], None]


def run_scenario(
    built: Stage,
    scenario: Scenario,
    modes: Sequence[Mode],
    folder: Path,
    seed: int,
    say: Say,
    rate: int = RATE,
) -> list[Result]:
    """One Result a mode. An error of the rehearsal itself is the problem of all its modes."""
    applicable = [mode for mode in modes if mode.name in scenario.modes]
    lanes: list[Lane] = []
    running = built.running
    situation = Situation(running, lanes, seed, built.broker_proxy, say=say)
    proof = problem = ""
    reports: list[dict[str, Any]] = []
    try:
        load = Load(rate, seed)
        for index, mode in enumerate(applicable):
            topics = running.create_topics(f"{folder.name}_{index}")
            lanes.append(Lane(running, mode, folder / mode.name, topics, load))
        say("starting")
        _start(situation, scenario)
        say("under load")
        proof = scenario.strike(situation)
        say("healed")
        reports = _finish(situation, say)
    except Exception as error:
        problem = _words(error)
    finally:
        unclean = _cleaned_up(situation)
    if not reports:
        problem = problem or unclean
        return [Result(scenario.name, mode.name, _today(), seed, proof, problem) for mode in applicable]
    return [
        _result(scenario, lane, situation, proof, problem or unclean, report)
        for lane, report in zip(lanes, reports, strict=True)
    ]


def run_producer_row(row: ProducerRow, folder: Path, seed: int, say: Say) -> Result:
    """The Result of a row without a bridge."""
    folder.mkdir(parents=True)
    say("running")
    try:
        finding, problem = row.act(folder, seed), ""
    except Exception as error:
        finding, problem = Finding(""), _words(error)
    return Result(row.name, "producer", _today(), seed, finding.proof, problem, finding.figures)


def _cleaned_up(situation: Situation) -> str:
    """Stop everything of the lanes; what did not stop, in words."""
    try:
        if situation.lanes:
            situation.in_all_lanes(Lane.stop)
    except Exception as error:
        return f"cleaning up: {_words(error)}"
    return ""


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:600]}"


def _today() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d")


def _start(situation: Situation, scenario: Scenario) -> None:
    """All lanes ready, then the load in all of them at the same moment."""

    def ready(lane: Lane) -> None:
        lane.producer_options, lane.job_options = _filled(scenario.producer, lane), scenario.job
        names, values = zip(*scenario.environment, strict=True) if scenario.environment else ((), ())
        lane.producer_environment = dict(zip(names, _filled(values, lane), strict=True))
        lane.namespace = Namespace() if scenario.namespaced else None
        (lane.folder / "clock").write_text("+0\n")
        lane.start_producer()
        lane.start_proxy()
        lane.proxy.black_hole()

    situation.in_all_lanes(ready)
    submit_all(situation.lanes)
    for lane in situation.lanes:
        lane.job.wait_until_running(240)
    for lane in situation.lanes:
        lane.proxy.heal()
    for lane in situation.lanes:
        wait_until(
            lambda lane=lane: lane.arrivals.count() > lane.load.rate, f"{lane.mode.name}: events arrive", 90
        )


def _filled(options: Sequence[str], lane: Lane) -> tuple[str, ...]:
    return tuple(option.replace("{folder}", str(lane.folder)) for option in options)


def _finish(situation: Situation, say: Say) -> list[dict[str, Any]]:
    """Let fresh events follow the recovery; then wait for the last of them and audit."""
    if situation.reports:
        return [situation.reports[lane] for lane in situation.lanes]
    before = {lane: lane.produced() for lane in situation.lanes}
    situation.load(FRESH_SECONDS)
    fresh = {lane.mode.name: lane.produced() - before[lane] for lane in situation.lanes}
    assert all(fresh.values()), f"no fresh events were made: {fresh}"
    for lane in situation.lanes:
        lane.end_load()
    for lane in situation.lanes:
        wait_until(lane.has_made_all, f"{lane.mode.name}: the load ends", 120)
    say(f"auditing; fresh events {fresh}")
    return situation.in_all_lanes(_settled_audit)


def _settled_audit(lane: Lane) -> dict[str, Any]:
    """The audit when everything has arrived, or when nothing arrives any more."""
    arrived, since = lane.arrivals.count(), time.monotonic()
    while True:
        report = lane.audit()
        if not report["lost"] + report["unseen"]:
            return report
        now = lane.arrivals.count()
        if now != arrived:
            arrived, since = now, time.monotonic()
        if time.monotonic() - since > (SETTLE_SECONDS if lane.mode.lossless else SETTLE_SECONDS / 3):
            return report
        time.sleep(1)


def _result(
    scenario: Scenario, lane: Lane, situation: Situation, proof: str, problem: str, report: dict[str, Any]
) -> Result:
    figures = {
        "produced": report.get("produced", lane.produced()),
        "delivered": report["distinct"],
        "lost": report["lost"] + report["unseen"],
        "duplicated": report["duplicated"],
        "rejected": report["rejected"],
        "recovery_seconds": situation.recovery.get(lane.mode.name),
    }
    if scenario.restarts is not None and not lane.mode.lossless:
        figures["bound"] = _bound(scenario.restarts, lane, situation)
    problem = problem or _judged(lane.mode, report, figures.get("bound"))
    if not problem and report["unseen"]:
        problem = f"no fresh event passed: {report['unseen']} unseen"
    aside = figures["produced"] - figures["delivered"] - figures["lost"]
    if not problem and aside and not scenario.rejects and lane not in situation.reports:
        problem = f"{aside} whole events were rejected"
    return Result(scenario.name, lane.mode.name, _today(), situation.seed, proof, problem, figures)


def _judged(mode: Mode, report: dict[str, Any], bound: int | None) -> str:
    return judge(report, mode.lossless, mode.exactly_once, mode.ordered, bound)


def _bound(restarts: int, lane: Lane, situation: Situation) -> int:
    """How many events the socket source may lose: as printed, and only while it did not deliver."""
    printed = restarts * lane.bound_seconds + situation.slotless
    silent = restarts * CHECKPOINT_SECONDS + situation.outage[lane.mode.name]
    return round(min(printed, silent) * lane.load.rate)
