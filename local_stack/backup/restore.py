"""Writes a backup into an empty topic: every record into its partition, in its order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kafka_setup.connection.session import QUIET_CLIENT, until_none_missing
from kafka_setup.connection.settings import REQUEST_TIMEOUT
from local_stack.backup.backup import Backup, BackupError, read_backup, read_records
from local_stack.backup.export import topic_config
from local_stack.backup.format import Record

_FLUSH_SECONDS = 120.0

Progress = Callable[[int], object]


class Restored(NamedTuple):
    """The result of an import.

    `found`: records of the backup that were in the topic already, from an interrupted import. `expired`:
    written records that are older than the topic's retention; Kafka removes them soon.
    """

    backup: Backup
    written: int
    found: int
    created: bool
    expired: int


def import_topic(
    login: dict[str, str], topic: str, folder: Path, resume: bool, progress: Progress
) -> Restored:
    """Import a backup; a missing topic is created like the exported one. Raises BackupError."""
    backup = read_backup(folder)
    try:
        admin = AdminClient({**login, **QUIET_CLIENT})
        created = _create(admin, topic, backup)
        there = _there(login, topic, backup, folder, resume)
        sender = _Sender(login, topic, _keeps_since(topic_config(admin, topic, own=False)))
        sender.send(_records(backup, folder, there), progress)
    except KafkaException as error:
        raise BackupError(f"topic {topic}: {error.args[0].str()}") from error
    return Restored(backup, sender.count, sum(there.values()), created, sender.expired)


def _keeps_since(config: dict[str, str]) -> int:
    """The time before which records are removed, in milliseconds since 1970; 0 if none are."""
    retention = int(config["retention.ms"]) if "delete" in config["cleanup.policy"] else -1
    return int(time.time() * 1000) - retention if retention >= 0 else 0


def _create(admin: AdminClient, topic: str, backup: Backup) -> bool:
    def missing() -> set[str]:
        return {topic} - set(admin.list_topics(timeout=REQUEST_TIMEOUT).topics)

    if not missing():
        return False
    wanted = NewTopic(topic, num_partitions=len(backup.partitions), config=backup.config)
    admin.create_topics([wanted])[topic].result()
    until_none_missing(missing)
    return True


def _there(login: dict[str, str], topic: str, backup: Backup, folder: Path, resume: bool) -> dict[int, int]:
    """The number of records in each partition: 0, or with `resume`, the first ones of the backup."""
    with closing(Consumer({**login, **QUIET_CLIENT, **_READING})) as reader:
        found = reader.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic]
        if missing := sorted(backup.partitions.keys() - found.partitions.keys()):
            raise BackupError(
                f"topic {topic} has no partition {missing[0]}: the backup has {len(backup.partitions)}"
            )
        there = {}
        for number in found.partitions:
            start, end = reader.get_watermark_offsets(TopicPartition(topic, number), timeout=REQUEST_TIMEOUT)
            if end and not resume:
                raise BackupError(
                    f"topic {topic} is not empty: partition {number} had {end} records. Import into a new "
                    "topic; after an import that was interrupted: --resume"
                )
            if end and not (start == 0 and _is_prefix(reader, topic, number, end, backup, folder)):
                raise BackupError(
                    f"topic {topic} partition {number} does not hold the first records of {folder}: "
                    "import into a new topic"
                )
            there[number] = end
        return there


def _is_prefix(reader: Consumer, topic: str, number: int, end: int, backup: Backup, folder: Path) -> bool:
    """Whether the partition's records are the first ones of the backup; only its last record is compared."""
    if number not in backup.partitions or end > backup.partitions[number].records:
        return False
    wanted = next(islice(read_records(folder, number), end - 1, None))
    reader.assign([TopicPartition(topic, number, end - 1)])
    message = reader.poll(REQUEST_TIMEOUT)
    return (
        message is not None
        and message.error() is None
        and (message.key(), message.value()) == (wanted.key, wanted.value)
    )


def _records(backup: Backup, folder: Path, there: dict[int, int]) -> Iterator[tuple[int, Record]]:
    for number in sorted(backup.partitions):
        for record in islice(read_records(folder, number), there.get(number, 0), None):
            yield number, record


class _Sender:
    """An idempotent producer: a retry causes no duplicate and keeps the order.

    It counts the records that are older than `keeps_since`.
    """

    def __init__(self, login: dict[str, str], topic: str, keeps_since: int) -> None:
        self._topic, self._keeps_since = topic, keeps_since
        self.count = self.expired = 0
        self._producer = Producer({**login, **QUIET_CLIENT, **_WRITING})
        self._failed: KafkaError | None = None

    def send(self, records: Iterator[tuple[int, Record]], progress: Progress) -> None:
        """Raises KafkaException."""
        for partition, record in records:
            self._put(partition, record)
            self.count += 1
            self.expired += record.timestamp is not None and record.timestamp < self._keeps_since
            if self.count % 1_000 == 0:
                progress(self.count)
        if self._producer.flush(_FLUSH_SECONDS):
            raise KafkaException(self._failed or KafkaError(KafkaError._MSG_TIMED_OUT))
        self._raise_failure()

    def _put(self, partition: int, record: Record) -> None:
        at = {} if record.timestamp is None else {"timestamp": record.timestamp}
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    record.value,
                    record.key,
                    partition,
                    on_delivery=self._delivered,
                    headers=list(record.headers),
                    **at,
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)
        self._raise_failure()

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        self._failed = self._failed or error

    def _raise_failure(self) -> None:
        if self._failed is not None:
            self._producer.purge()
            raise KafkaException(self._failed)


_READING = {"group.id": "win-event-import", "enable.auto.commit": False, "auto.offset.reset": "error"}
_WRITING = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 20,
    "compression.type": "lz4",
    "message.max.bytes": 10 * 2**20,  # the topic's own limit decides
}
