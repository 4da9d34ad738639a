"""One audit from start to end: read, compare, conclude. The effects are in the readers it calls."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Message

from consumer.audit import Audit, Record
from consumer.expected import Expected
from consumer.file_records import FileReader
from consumer.findings import shown
from consumer.identity import identify_head, identify_parsed
from consumer.kafka_records import Topic, TopicReader, append_time
from consumer.ledger_file import LedgerFile, hash_line
from consumer.verdict import Rejected, Report, Rules, compare, compare_with_itself, conclude

# Called after every batch: what is read, how far, how much there is (bytes of a file, offsets of a topic).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class VerifySettings:
    """What to read, what to compare it with (None: with itself) and what makes it fail."""

    source: Path | Topic
    rules: Rules
    rejected: Topic | None = None
    ledger: Path | None = None


def verify(settings: VerifySettings, progress: Progress) -> Report:
    """Raises AuditError when something cannot be read."""
    if settings.ledger is None:
        return _verify_alone(settings, progress)
    expected = Expected()
    audit = Audit(_origin(settings), identify_head, hash_line, expected.add_chunk)
    ledger = LedgerFile(settings.ledger)
    expected.extend(ledger.new_blocks())
    _read(settings.source, audit, progress)
    rejected = _read_rejected(settings.rejected, progress)
    expected.extend(ledger.new_blocks())
    compare(audit, expected, rejected)
    return conclude(audit, rejected, f"the ledger {settings.ledger}", settings.rules)


def _verify_alone(settings: VerifySettings, progress: Progress) -> Report:
    audit = Audit(_origin(settings), identify_parsed, zlib.crc32)
    _read(settings.source, audit, progress)
    rejected = _read_rejected(settings.rejected, progress)
    compare_with_itself(audit, rejected)
    return conclude(audit, rejected, "itself", settings.rules)


def _origin(settings: VerifySettings) -> str:
    return settings.source.name


def _read(source: Path | Topic, audit: Audit, progress: Progress) -> None:
    if isinstance(source, Path):
        file = FileReader(source)
        for records in file.batches():
            audit.take(records)
            progress(source.name, file.done, file.total)
        return
    with closing(TopicReader(source)) as reader:
        for messages in reader.batches():
            audit.take(_records(messages))
            progress(source.name, reader.done, reader.total)


def _read_rejected(topic: Topic | None, progress: Progress) -> Rejected:
    rejected = Rejected()
    if topic is None:
        return rejected
    with closing(TopicReader(topic)) as reader:
        for messages in reader.batches():
            for message in messages:
                headers = dict(message.headers() or ())
                reason = shown(headers.get("reason") or b"no reason given")
                identity = identify_parsed(message.value() or b"")
                if identity is None:
                    rejected.add(reason, None, 0)
                else:
                    computer, channel, record_id, _ = identity
                    rejected.add(reason, (computer, channel), record_id)
            progress(topic.name, reader.done, reader.total)
    return rejected


def _records(messages: list[Message]) -> Iterator[Record]:
    return (
        (message.value() or b"", message.key(), message.partition(), message.offset(), append_time(message))
        for message in messages
    )
