"""Runs one fault: starts pipelines and load, breaks, heals, waits for fresh events, audits, stops all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from faults.experiment import Experiment
from faults.fault import Fault
from faults.modes import Mode
from faults.namespace import Namespace
from faults.pipeline import CHECKPOINT_SECONDS, Load, Pipeline, submit_all
from faults.producer_faults import Outcome, ProducerFault
from faults.results import Result, judge
from faults.shared_stack import SharedStack
from faults.topic_faults import TopicFault
from running import wait_until

RATE = 1000
FRESH_SECONDS = 4.0  # of load after the last recovery
SETTLE_SECONDS = 60.0  # an audit is final when nothing has changed for so long and something is still missing
Say = Callable[[str], None]


def run_fault(
    built: SharedStack,
    fault: Fault,
    modes: Sequence[Mode],
    folder: Path,
    seed: int,
    say: Say,
    rate: int = RATE,
) -> list[Result]:
    """One Result for each mode. An error of the run itself is a problem of all its modes."""
    applicable = [mode for mode in modes if mode.name in fault.modes]
    pipelines: list[Pipeline] = []
    running = built.running
    experiment = Experiment(running, pipelines, seed, built.broker_proxy, say=say)
    proof = problem = ""
    reports: list[dict[str, Any]] = []
    try:
        load = Load(rate, seed)
        for index, mode in enumerate(applicable):
            topics = running.create_topics(f"{folder.name}_{index}")
            pipelines.append(Pipeline(running, mode, folder / mode.name, topics, load))
        say("starting")
        _start(experiment, fault)
        say("under load")
        proof = fault.inject(experiment)
        say("healed")
        reports = _finish(experiment, say)
    except Exception as error:
        problem = words(error)
    finally:
        unclean = _cleaned_up(experiment)
    if not reports:
        problem = problem or unclean
        return [Result(fault.name, mode.name, today(), seed, proof, problem) for mode in applicable]
    return [
        _result(fault, pipeline, experiment, proof, problem or unclean, report)
        for pipeline, report in zip(pipelines, reports, strict=True)
    ]


def run_producer_fault(row: ProducerFault, folder: Path, seed: int, say: Say) -> Result:
    """The Result of a row without a bridge."""
    folder.mkdir(parents=True)
    say("running")
    try:
        outcome, problem = row.act(folder, seed), ""
    except Exception as error:
        outcome, problem = Outcome(""), words(error)
    return Result(row.name, "producer", today(), seed, outcome.proof, problem, outcome.figures)


def run_topic_fault(built: SharedStack, row: TopicFault, folder: Path, seed: int, say: Say) -> Result:
    """The Result of a row whose events are in the topic already."""
    folder.mkdir(parents=True)
    say("running")
    try:
        outcome, problem = row.act(Experiment(built.running, (), seed, say=say), folder), ""
    except Exception as error:
        outcome, problem = Outcome(""), words(error)
    return Result(row.name, "topic", today(), seed, outcome.proof, problem, outcome.figures)


def _cleaned_up(experiment: Experiment) -> str:
    """Stop everything of the pipelines; returns what did not stop, as text."""
    try:
        if experiment.pipelines:
            experiment.in_all_pipelines(Pipeline.stop)
    except Exception as error:
        return f"cleaning up: {words(error)}"
    return ""


def words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:600]}"


def today() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d")


def _start(experiment: Experiment, fault: Fault) -> None:
    """Wait until all pipelines are ready; then start the load in all of them at the same moment."""

    def ready(pipeline: Pipeline) -> None:
        pipeline.producer_options, pipeline.job_options = _filled(fault.producer, pipeline), fault.job
        names, values = zip(*fault.environment, strict=True) if fault.environment else ((), ())
        pipeline.producer_environment = dict(zip(names, _filled(values, pipeline), strict=True))
        pipeline.namespace = Namespace() if fault.namespaced else None
        (pipeline.folder / "clock").write_text("+0\n")
        pipeline.start_producer()
        pipeline.start_proxy()
        pipeline.proxy.black_hole()

    experiment.in_all_pipelines(ready)
    submit_all(experiment.pipelines)
    for pipeline in experiment.pipelines:
        pipeline.job.wait_until_running(240)
    for pipeline in experiment.pipelines:
        pipeline.proxy.heal()
    for pipeline in experiment.pipelines:
        wait_until(
            lambda pipeline=pipeline: pipeline.arrivals.count() > pipeline.load.rate,
            f"{pipeline.mode.name}: events arrive",
        )


def _filled(options: Sequence[str], pipeline: Pipeline) -> tuple[str, ...]:
    return tuple(option.replace("{folder}", str(pipeline.folder)) for option in options)


def _finish(experiment: Experiment, say: Say) -> list[dict[str, Any]]:
    """Let fresh events follow the recovery; then wait for the last of them and audit."""
    if experiment.reports:
        return [experiment.reports[pipeline] for pipeline in experiment.pipelines]
    before = {pipeline: pipeline.produced() for pipeline in experiment.pipelines}
    experiment.load(FRESH_SECONDS)

    def fresh() -> dict[str, int]:
        return {each.mode.name: each.produced() - before[each] for each in experiment.pipelines}

    wait_until(lambda: all(fresh().values()), "fresh events are made", told=fresh)
    for pipeline in experiment.pipelines:
        pipeline.end_load()
    for pipeline in experiment.pipelines:
        wait_until(pipeline.has_made_all, f"{pipeline.mode.name}: the load ends")
    say(f"auditing; fresh events {fresh()}")
    return experiment.in_all_pipelines(settled_audit)


def settled_audit(pipeline: Pipeline) -> dict[str, Any]:
    """Audit when everything has arrived, or when nothing arrives any more."""
    arrived, since = pipeline.arrivals.count(), time.monotonic()
    while True:
        report = pipeline.audit()
        if not report["lost"] + report["unseen"]:
            return report
        now = pipeline.arrivals.count()
        if now != arrived:
            arrived, since = now, time.monotonic()
        if time.monotonic() - since > (SETTLE_SECONDS if pipeline.mode.lossless else SETTLE_SECONDS / 4):
            return report
        time.sleep(1)


def _result(
    fault: Fault, pipeline: Pipeline, experiment: Experiment, proof: str, problem: str, report: dict[str, Any]
) -> Result:
    figures = {
        "produced": report.get("produced", pipeline.produced()),
        "delivered": report["distinct"],
        "lost": report["lost"] + report["unseen"],
        "duplicated": report["duplicated"],
        "rejected": report["rejected"],
        "recovery_seconds": experiment.recovery.get(pipeline.mode.name),
    }
    if fault.restarts is not None and not pipeline.mode.lossless:
        figures["bound"] = _bound(fault.restarts, pipeline, experiment)
    problem = problem or judged(pipeline.mode, report, figures.get("bound"))
    if not problem and report["missing_at_end"] and pipeline not in experiment.reports:
        problem = f"no fresh event passed: {report['missing_at_end']} missing at the end"
    aside = figures["produced"] - figures["delivered"] - figures["lost"]
    if not problem and aside and not fault.rejects and pipeline not in experiment.reports:
        problem = f"{aside} whole events were rejected"
    return Result(fault.name, pipeline.mode.name, today(), experiment.seed, proof, problem, figures)


def judged(mode: Mode, report: dict[str, Any], bound: int | None) -> str:
    return judge(report, mode.lossless, mode.exactly_once, mode.ordered, bound)


def _bound(restarts: int, pipeline: Pipeline, experiment: Experiment) -> int:
    """How many events the socket source may lose: as README says, and only while it did not deliver."""
    printed = restarts * pipeline.bound_seconds + experiment.slotless
    silent = restarts * CHECKPOINT_SECONDS + experiment.outage[pipeline.mode.name]
    return round(min(printed, silent) * pipeline.load.rate)
