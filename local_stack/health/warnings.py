"""The warnings of status and doctor: what is wrong, and what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local_stack.health.jobs import Failure, Job

SILENT_SECONDS = 60.0
UNCONNECTED_SECONDS = 60.0  # since the start of the job
_LOOPING, _LOOPING_LONG = 3, 6  # equal failures for a warning; the second, even with checkpoints between
_ENOUGH_LINES = 10
# The parts of a text that differ each time: offsets, sizes, times, addresses of objects.
_VARYING = re.compile(r"@[0-9a-f]+|\d+")
_CURES = {
    "not-json": "the sender does not send JSON lines",
    "not-an-object": "each line must be a JSON object {…}",
    "too-long": "a larger --max-line accepts longer lines",
    "bad-timestamp": "set --timestamp-field and --timestamp-zone to the form of the sender's times",
    "too-old": "--too-old now keeps them",
    "several-values": "each line must be one JSON object, and nothing after it",
    "too-deep": "the sender nests objects deeper than any event does",
    "bom": "the sender begins with a byte order mark: let it write UTF-8 without one",
    "torn": "the connection breaks in the middle of lines: look at the sender and the network",
}


@dataclass(frozen=True)
class CheckResult:
    """One result of doctor; a result that is not ok is a warning. `remedy` says what to do then."""

    what: str
    ok: bool
    remedy: str = ""


def of_job(job: Job) -> Iterator[CheckResult]:
    """Warnings about a job that runs or restarts."""
    if job.state not in ("RUNNING", "RESTARTING", "FAILING"):
        return
    yield from _rejected(job)
    yield from _looping(job)
    yield from _silent(job)
    if job.checkpoint_failure:
        yield CheckResult(
            f"{job.name}: the newest checkpoint failed: {job.checkpoint_failure}",
            False,
            "win-event-stack logs jobmanager",
        )


def _rejected(job: Job) -> Iterator[CheckResult]:
    lines = job.events + job.rejected
    if lines >= _ENOUGH_LINES and job.rejected > job.events:
        share = f"{job.rejected / lines:.0%} of {lines:,} lines"
    elif job.mostly_rejected:  # lately, after many good lines or beside other servers
        share = f"more than half of the last lines from {', '.join(job.mostly_rejected)}"
    else:
        return
    reason = max(job.reasons, key=lambda each: job.reasons[each], default="")
    told = f", most of them as {reason}" if reason else ""
    what = f"{job.name}: {share} were REJECTED{told}"
    yield CheckResult(what, False, f"{cure(reason)}. To see them: win-event-verify --rejected")


def cure(reason: str) -> str:
    """The cure for lines that are rejected for this reason."""
    if reason.startswith("missing"):
        return (
            "--key-field names the field that holds the computer, --require names the other required fields"
        )
    return _CURES.get(reason, "docs/GUARANTEES.md explains the reasons")


def _looping(job: Job) -> Iterator[CheckResult]:
    """A warning about the same failure again and again, which the job cannot pass without a change."""
    last, many = job.failures[-_LOOPING:], job.failures[-_LOOPING_LONG:]
    if len(last) < _LOOPING or not _alike(last):
        return
    since = last[-1].at - last[0].at
    if job.checkpoint_age is None or job.checkpoint_age >= since:
        where, how_often = " at the same place", f"{_LOOPING} times in {since:.0f} s, no checkpoint between"
    elif job.state != "RUNNING" and len(many) == _LOOPING_LONG and _alike(many):
        where, how_often = "", f"{_LOOPING_LONG} times in {many[-1].at - many[0].at:.0f} s"
    else:
        return
    what = f"{job.name} restarts{where} again and again: {last[-1].text}"
    yield CheckResult(what, False, f"win-event-stack logs taskmanager-1; {how_often}")


def _alike(failures: Sequence[Failure]) -> bool:
    return len({_VARYING.sub("0", failure.text) for failure in failures}) == 1


def _silent(job: Job) -> Iterator[CheckResult]:
    for place in job.places:
        if not place.connected and job.state == "RUNNING" and job.uptime > UNCONNECTED_SECONDS:
            yield CheckResult(
                f"{job.name} is not connected to {place.address}, and tries again",
                False,
                "is the sender up? The reason of each attempt: win-event-stack logs taskmanager-1",
            )
        if place.connected and place.idle is not None and place.idle > SILENT_SECONDS:
            what = f"{job.name} is connected to {place.address}, and no line came for {place.idle:.0f} s"
            yield CheckResult(
                what, False, "does the sender make events? win-event-stack status shows a producer's rate"
            )


@dataclass(frozen=True)
class Doomed:
    """Records of a topic that retention deletes within `seconds`; `unread`: how many, by consumer group."""

    topic: str
    records: int
    of: int
    seconds: float
    unread: dict[str, int]


def of_retention(doomed: Doomed) -> Iterator[CheckResult]:
    """A warning about unread records; none about old records that all groups have read."""
    within = f"within {doomed.seconds / 3600:.1f} h"
    for group, count in sorted(doomed.unread.items()):
        if count:
            what = f"{doomed.topic}: {group} has not read {count:,} records that retention deletes {within}"
            yield CheckResult(what, False, "let the group catch up, or raise the topic's retention.ms")
    if doomed.records and doomed.records * 2 > doomed.of:
        what = f"{doomed.topic}: retention deletes {doomed.records:,} of {doomed.of:,} records {within}"
        yield CheckResult(
            what, False, "their times are old: raise the topic's retention.ms, or submit with --too-old now"
        )


def of_transaction(name: str, topics: dict[str, int], tool: str) -> CheckResult:
    """A warning about an open transaction.

    `topics`: the number of records hidden from read_committed; `tool`: kafka-transactions.sh with a login.
    """
    hidden = ", ".join(f"{count:,} of {topic}" for topic, count in sorted(topics.items()))
    what = f"transaction {name} is open for more than a minute; read_committed readers wait for {hidden}"
    end = f"{tool} forceTerminateTransaction --transactionalId {name}"
    return CheckResult(
        what, False, f"it ends when its job continues from its checkpoint; to discard its records: {end}"
    )
