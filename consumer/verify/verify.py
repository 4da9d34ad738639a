"""One audit from start to end: read, compare, conclude."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Protocol

from consumer.verify.audit.audit import Audit, Expectations
from consumer.verify.audit.compared import ComparedAudit
from consumer.verify.audit.records import AuditError, Place, Record, RejectedLine
from consumer.verify.audit.rejected import Rejected
from consumer.verify.audit.report import Report, Rules, RunFindings, Unread
from consumer.verify.audit.without_ledger import AuditWithoutLedger
from consumer.verify.expected.references import Progress, Reference
from consumer.verify.records.file_records import open_files
from consumer.verify.records.kafka_records import Topic, TopicReader
from consumer.verify.records.kinesis_records import KinesisReader, Stream

_ALONE = "itself: record ids must be contiguous"
_TWO_AT_ONCE = (
    "record ids begin again in the middle, as when two producers of the same computers write at the same "
    "time: then these counts mean nothing; compare with --ledger, once for each producer"
)
_NOBODY_KNOWS = (
    "--complete adds nothing here: without --ledger or --seed nobody knows which events came before the "
    "first or after the last of a sequence"
)


class Source(Protocol):
    """Records; `follows`: they end only by a signal or when idle. `done` and `total` measure the progress."""

    name: str
    done: int
    total: int
    follows: bool

    def batches(self) -> Iterator[list[Record]]: ...

    def place(self, partition: int | None, offset: int) -> Place: ...

    def unread(self) -> tuple[Unread, ...]: ...

    def close(self) -> None: ...


class RejectedSource(Protocol):
    """Rejected lines, with the same progress."""

    name: str
    done: int
    total: int

    def rejected(self) -> Iterator[list[RejectedLine]]: ...

    def place(self, partition: int | None, offset: int) -> Place: ...

    def unread(self) -> tuple[Unread, ...]: ...


@dataclass(frozen=True)
class AuditSettings:
    """`reference`: what to compare with; without it, only the record ids are checked.

    `expectations`: what must be true of each record. `rules`: what makes the audit fail.
    """

    rules: Rules = field(default_factory=Rules)
    expectations: Expectations = field(default_factory=Expectations)
    reference: Reference | None = None


@dataclass(frozen=True)
class VerifySettings:
    """What to read and how to judge it.

    `source`: a topic, a stream, a file, a folder, or s3://BUCKET/PREFIX.
    """

    source: str | Topic | Stream
    rejected: Topic | None = None
    audit: AuditSettings = field(default_factory=AuditSettings)


def verify(settings: VerifySettings, progress: Progress) -> Report:
    """Run the audit. Raises AuditError if something cannot be read."""
    with ExitStack() as opened:
        source = opened.enter_context(closing(_open(settings.source)))
        rejected = (
            opened.enter_context(closing(TopicReader(settings.rejected))) if settings.rejected else None
        )
        return audit(settings.audit, source, rejected, progress)


def audit(
    settings: AuditSettings, source: Source, rejected: RejectedSource | None, progress: Progress
) -> Report:
    """Read the source, then the rejected lines, and judge them. Raises AuditError."""
    if settings.reference is None:
        return _compare_with_itself(settings, source, rejected, progress)
    return _compare(settings, settings.reference, source, rejected, progress)


def _open(source: str | Topic | Stream) -> Source:
    if isinstance(source, str):
        return open_files(source)
    return TopicReader(source) if isinstance(source, Topic) else KinesisReader(source)


def _compare_with_itself(
    settings: AuditSettings, source: Source, rejected: RejectedSource | None, progress: Progress
) -> Report:
    audit = AuditWithoutLedger(settings.expectations, source.place)
    _read(source, audit.take, progress)
    _read_rejected(rejected, audit, audit.take_rejected, progress)
    runs = audit.runs(settings.rules.allow_gaps)
    notes = [_NOBODY_KNOWS] if settings.rules.complete else []
    if audit.looks_like_two_at_once():
        notes.append(_TWO_AT_ONCE)
    if audit.not_compared:
        notes.append(f"{audit.not_compared:,} duplicates came too late to compare with their first copy")
    if gaps := sum(run.gaps for run in runs) if settings.rules.allow_gaps else 0:
        notes.append(
            f"{gaps:,} record ids are missing between others; with --allow-gaps they do not count as lost"
        )
    return _conclude(settings.rules, audit, runs, _unread(source, rejected), _ALONE, notes)


def _compare(
    settings: AuditSettings,
    reference: Reference,
    source: Source,
    rejected: RejectedSource | None,
    progress: Progress,
) -> Report:
    runs = reference.runs(progress)
    audit = ComparedAudit(settings.expectations, reference.fingerprint, source.place, runs)

    def catch_up_and_tell(what: str, done: int, total: int) -> None:
        if reference.catch_up():
            audit.settle()
        progress(what, done, total)

    def nothing_waits() -> bool:
        audit.settle()
        return not audit.waits

    _read(source, audit.take, catch_up_and_tell)
    reference.wait_until(nothing_waits)
    audit.finish()
    _read_rejected(rejected, audit, audit.take_rejected, progress)
    found = [run.judged(settings.rules.complete) for run in runs]
    unread = _unread(source, rejected)
    return _conclude(settings.rules, audit, found, unread, reference.name, list(reference.notes))


def _read(source: Source, take: Callable[[Iterable[Record]], None], progress: Progress) -> None:
    try:
        for records in source.batches():
            take(records)
            progress(f"reading {source.name}", source.done, source.total)
    except KeyboardInterrupt:
        if not source.follows:
            raise  # with --follow, a person ends the audit by Ctrl-C and gets the verdict


def _read_rejected(
    source: RejectedSource | None,
    audit: Audit,
    take: Callable[[RejectedLine, Place], None],
    progress: Progress,
) -> None:
    rejected = Rejected()
    if source is not None:
        for lines in source.rejected():
            for line in lines:
                if not audit.is_older_rejected(line):
                    rejected.add(line)
                    take(line, source.place(line.partition, line.offset))
            progress(f"reading {source.name}", source.done, source.total)
    rejected.report(audit.findings)


def _unread(source: Source, rejected: RejectedSource | None) -> tuple[Unread, ...]:
    return source.unread() + (rejected.unread() if rejected else ())


def _conclude(
    rules: Rules,
    audit: Audit,
    runs: list[RunFindings],
    unread: tuple[Unread, ...],
    reference: str,
    notes: list[str],
) -> Report:
    if audit.passed_over:
        notes.append(f"{audit.passed_over:,} older records were ignored (--since)")
    return Report(
        reference=reference,
        records=audit.records - audit.passed_over,
        apart=audit.findings,
        runs=tuple(_chosen(runs, rules.run)),
        rules=rules,
        latency=audit.times.summary(),
        append_seconds=audit.times.seconds(),
        unread=unread,
        notes=tuple(notes),
    )


def _chosen(runs: list[RunFindings], wanted: str) -> list[RunFindings]:
    """The run with this name or beginning of a name; all runs if none is chosen. Raises AuditError."""
    if not wanted:
        return runs
    exact = [run for run in runs if run.name == wanted]
    found = exact or [run for run in runs if run.name.startswith(wanted)]
    if len(found) != 1:
        names = ", ".join(run.name for run in runs) or "none"
        raise AuditError(f"--run {wanted}: there is no such run; found: {names}")
    return found
