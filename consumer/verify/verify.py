"""One audit from start to end: read, compare, look again where something is wrong, conclude."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from consumer.events.identity import identify_damaged, identify_parsed
from consumer.verify.audit.audit import Audit, Record
from consumer.verify.audit.inspection import MOST_SUSPECTS, Inspection, Suspects
from consumer.verify.audit.rejected import Rejected
from consumer.verify.audit.report import Report, Rules
from consumer.verify.audit.verdict import compare, compare_with_itself, covers
from consumer.verify.expected.expected import Expected
from consumer.verify.expected.judges import Judge, Progress
from consumer.verify.records.file_records import FileReader
from consumer.verify.records.kafka_records import Topic, TopicReader

_ALONE = "itself: record ids must be contiguous"


class Source(Protocol):
    """Records that can be read more than once, unless `follows`; `done` and `total` measure the way."""

    name: str
    done: int
    total: int
    follows: bool

    def batches(self) -> Iterator[list[Record]]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class VerifySettings:
    """What to read, what to compare it with (None: with itself) and what makes it fail."""

    source: Path | Topic
    rules: Rules
    rejected: Topic | None = None
    judge: Judge | None = None


def verify(settings: VerifySettings, progress: Progress) -> Report:
    """Raises AuditError when something cannot be read."""
    with closing(_open(settings.source)) as source:
        if settings.judge is None:
            return _compare_with_itself(settings, source, progress)
        return _compare(settings, settings.judge, source, progress)


def _open(source: Path | Topic) -> Source:
    return FileReader(source) if isinstance(source, Path) else TopicReader(source)


def _compare_with_itself(settings: VerifySettings, source: Source, progress: Progress) -> Report:
    audit = Audit(source.name, identify_parsed, zlib.crc32)
    _read(source, audit.take, progress)
    rejected = _read_rejected(settings.rejected, progress)
    compare_with_itself(audit, rejected.ids)
    return _conclude(settings.rules, audit, rejected, _ALONE, [])


def _compare(settings: VerifySettings, judge: Judge, source: Source, progress: Progress) -> Report:
    expected = Expected()
    expected.extend(judge.blocks(progress))
    audit = Audit(source.name, identify_damaged, judge.fingerprint, expected.add_chunk, expected.has)

    def catch_up_and_tell(what: str, done: int, total: int) -> None:
        judge.catch_up(expected)
        progress(what, done, total)

    _read(source, audit.take, catch_up_and_tell)
    rejected = _read_rejected(settings.rejected, progress)
    judge.complete(expected, lambda: covers(expected, audit))
    suspects = compare(audit, expected, rejected.ids)
    notes = [*judge.notes, *_look_again(audit, suspects, judge, source, progress)]
    return _conclude(settings.rules, audit, rejected, judge.name, notes)


def _look_again(
    audit: Audit, suspects: Suspects, judge: Judge, source: Source, progress: Progress
) -> Iterator[str]:
    """Read a second time to name damaged records; yields what people have to know about it."""
    if not suspects:
        audit.findings.merge(audit.differing)
        return
    if source.follows or suspects.count() > MOST_SUSPECTS:
        audit.findings.merge(audit.differing)
        suspects.name_blocks(audit.findings)
        yield "damaged blocks are counted, not single records: what is suspect was not read again"
        return
    hashes = judge.hashes(suspects.and_open(audit.differing_ids).ids(), progress)
    if hashes is None:
        audit.findings.merge(audit.differing)
        suspects = suspects.without(audit.differing_ids)
    inspection = Inspection(source.name, suspects, audit.findings, judge.fingerprint, hashes)
    _read(source, inspection.take, progress)
    inspection.finish()
    if inspection.not_compared:
        yield (
            f"{inspection.not_compared:,} events lie in ledger blocks that miss others: "
            "these were checked to be JSON, not byte for byte"
        )


def _read(source: Source, take: Callable[[Iterable[Record]], None], progress: Progress) -> None:
    try:
        for records in source.batches():
            take(records)
            progress(f"reading {source.name}", source.done, source.total)
    except KeyboardInterrupt:
        if not source.follows:
            raise  # else Ctrl-C is how a person ends it and asks for the verdict


def _read_rejected(topic: Topic | None, progress: Progress) -> Rejected:
    rejected = Rejected()
    if topic is not None:
        with closing(TopicReader(topic)) as reader:
            for messages in reader.messages():
                for message in messages:
                    rejected.add(message.value() or b"", message.headers())
                progress(f"reading {topic.name}", reader.done, reader.total)
    return rejected


def _conclude(rules: Rules, audit: Audit, rejected: Rejected, judge: str, notes: list[str]) -> Report:
    rejected.report(audit.findings)
    if audit.not_compared:
        notes.append(f"{audit.not_compared:,} duplicates came too late to compare with their first copy")
    return Report(
        judge=judge,
        records=audit.records,
        distinct=sum(sequence.all_seen().count() for sequence in audit.sequences.values()),
        findings=audit.findings,
        latency=audit.times.summary(),
        append_seconds=audit.times.seconds(),
        fatal=rules.fatal(),
        notes=tuple(notes),
    )
