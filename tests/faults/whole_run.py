"""The job of a soak that runs during the whole soak: it finds faults that only appear after hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.modes import modes_named
from faults.pipeline import Load, Pipeline
from faults.results import Result
from faults.runner import judged, settled_audit, today, words
from faults.shared_stack import SharedStack
from running import wait_until

RATE = 200
_SPARE = 3600.0  # seconds of load for rounds that take longer than the run was meant to


@contextmanager
def whole_run(built: SharedStack, folder: Path, seed: int, seconds: float) -> Iterator[Callable[[], Result]]:
    """A pipeline in mode auto under load until the call, which ends the load and gives the Result.

    The faults of the rounds hit its TaskManager and its broker; nobody submits it again.
    """
    (mode,) = modes_named("auto")
    load = Load(RATE, seed, longest=seconds + _SPARE)
    pipeline = Pipeline(built.running, mode, folder, built.running.create_topics("whole_run"), load)
    pipeline.producer_options = ("--log-dir", str(folder / "log"))
    try:
        pipeline.start_producer()
        pipeline.start_proxy()
        pipeline.submit()
        wait_until(lambda: pipeline.arrivals.count() > RATE, "the job of the whole run delivers")
        yield lambda: _audited(pipeline)
    finally:
        pipeline.stop()


def _audited(pipeline: Pipeline) -> Result:
    try:
        pipeline.end_load()
        wait_until(pipeline.has_made_all, "the load ends")
        report = settled_audit(pipeline)
    except Exception as error:
        return Result("whole-run", pipeline.mode.name, today(), pipeline.load.seed, "", words(error))
    figures = {
        "produced": report.get("produced", pipeline.produced()),
        "delivered": report["distinct"],
        "lost": report["lost"] + report["unseen"],
        "duplicated": report["duplicated"],
        "reordered": report["reordered"],
    }
    proof = f"one job, restored {pipeline.job.restored()} times from its checkpoints"
    problem = judged(pipeline.mode, report, None)
    return Result("whole-run", pipeline.mode.name, today(), pipeline.load.seed, proof, problem, figures)
