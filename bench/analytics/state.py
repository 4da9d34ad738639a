"""The size of the state of all questions, hour after hour of event time."""

from __future__ import annotations

from functools import partial

from asking import ask
from running import Job, wait_until

from bench.analytics.asking import without_failure
from bench.analytics.filled import FilledTopic
from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.measurement import Sample

_QUESTIONS = "level_counts,level_windows,error_burst,brute_force,top_accounts,logon_sessions"
_AN_HOUR = 100_000  # events


class _Run:
    """One job; each hour is sent after the answers for the last one."""

    def __init__(self, cluster: Cluster, hours: int) -> None:
        self._cluster, self._hours = cluster, hours
        self._sizes: dict[int, float] = {}

    def after(self, hour: int) -> Sample:
        """The size of a checkpoint in MiB after so many hours of events. Each round measures all hours."""
        if hour not in self._sizes:
            self._measure()
        return Sample(self._sizes.pop(hour), _AN_HOUR * hour)

    def _measure(self) -> None:
        topic = FilledTopic(self._cluster, _AN_HOUR, rate=_AN_HOUR / 3600)
        words = ("--kafka-topic", topic.name, "--checkpoint-interval", "1", "--idle-timeout", "3600")
        job = ask(self._cluster.running, _QUESTIONS, *words)
        try:
            for hour in range(1, self._hours + 1):
                if hour > 1:
                    topic.send(_AN_HOUR)
                read = partial(without_failure, job, partial(_has_read, job, _AN_HOUR * hour))
                wait_until(read, f"hour {hour} is read", 300)
                self._sizes[hour] = _next_checkpoint(job)
        finally:
            job.cancel()


def _has_read(job: Job, records: int) -> bool:
    vertices = job.running.rest(f"/jobs/{job.job_id}")["vertices"]
    source = next(vertex["id"] for vertex in vertices if vertex["name"].startswith("Source"))
    path = f"/jobs/{job.job_id}/vertices/{source}/subtasks/metrics"
    names = [
        each["id"]
        for each in job.running.rest(path)
        if each["id"].endswith("event_documents[1].numRecordsIn")
    ]
    found = job.running.rest(f"{path}?get={','.join(names)}&agg=sum") if names else []
    return bool(sum(each["sum"] for each in found) >= records)


def _next_checkpoint(job: Job) -> float:
    """The size in MiB of the first checkpoint that begins after this call."""
    path = f"/jobs/{job.job_id}/checkpoints"
    begun = job.running.rest(path)["counts"]["total"]

    def size() -> float:
        latest = job.running.rest(path)["latest"]["completed"] or {"id": 0}
        return float(latest["state_size"]) / 2**20 if latest["id"] > begun else 0.0

    return float(wait_until(size, "a checkpoint", 60))


def section(quick: bool, cluster: Cluster) -> Section:
    hours = 2 if quick else 6
    run = _Run(cluster, hours)
    cases = [Case(f"after {hour} h", partial(run.after, hour), x=hour) for hour in range(1, hours + 1)]
    note = (
        f"All six questions in one job, {_AN_HOUR:,} events an hour of event time, sent as fast as Kafka "
        "takes them: the size of a checkpoint after each hour. logon_sessions keeps one and a half hours "
        "(its timeout is one); the other questions keep less, except one row for each attack."
    )
    return Section("questions state", "State of all questions", "MiB", cases, note=note, axis="hours")
