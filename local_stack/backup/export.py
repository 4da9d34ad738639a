"""Reads a topic from its log start to its current end, and writes it to a folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource, ResourceType

from kafka_setup.connection.session import QUIET_CLIENT
from kafka_setup.connection.settings import REQUEST_TIMEOUT
from local_stack.backup.backup import Backup, BackupError, Writer
from local_stack.backup.format import Record

_STALLED_POLLS = 600  # of a tenth of a second
_BATCH = 1_000

Progress = Callable[[int], object]


def export_topic(login: dict[str, str], topic: str, folder: Path, progress: Progress) -> Backup:
    """Export all or nothing: `folder` appears when it is complete. Raises BackupError."""
    try:
        reader = Consumer({**login, **QUIET_CLIENT, **_READING})
        with closing(reader):
            bounds = _bounds(reader, topic)
            with closing(Writer(folder)) as writer:
                for number in bounds:
                    writer.open(number)
                _copy(reader, topic, bounds, writer, progress)
                config = topic_config(AdminClient({**login, **QUIET_CLIENT}), topic)
                return writer.finish(topic, bounds, config)
    except KafkaException as error:
        raise BackupError(f"topic {topic}: {error.args[0].str()}") from error
    except OSError as error:
        raise BackupError(f"{error.filename or folder}: {error.strerror}") from error


def topic_config(admin: AdminClient, topic: str, *, own: bool = True) -> dict[str, str]:
    """The settings of a topic.

    With `own`, only those that differ from the broker's. Raises KafkaException.
    """
    asked = ConfigResource(ResourceType.TOPIC, topic)
    found = admin.describe_configs([asked], request_timeout=REQUEST_TIMEOUT)[asked].result()
    wanted = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return {name: each.value for name, each in sorted(found.items()) if not own or each.source == wanted}


def _bounds(reader: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    found = reader.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return {
        number: reader.get_watermark_offsets(TopicPartition(topic, number), timeout=REQUEST_TIMEOUT)
        for number in sorted(found.partitions)
    }


def _copy(
    reader: Consumer, topic: str, bounds: dict[int, tuple[int, int]], writer: Writer, progress: Progress
) -> None:
    ends = {number: end for number, (start, end) in bounds.items() if end > start}
    reader.assign([TopicPartition(topic, number, bounds[number][0]) for number in ends])
    count = silent = 0
    while ends:
        messages = reader.consume(_BATCH, 0.1)
        silent = 0 if messages else silent + 1
        if silent > _STALLED_POLLS:
            reader.list_topics(topic, timeout=REQUEST_TIMEOUT)  # raises if it is Kafka that does not answer
            raise BackupError(f"topic {topic}: nothing came for a minute; a transaction is open in it")
        for message in messages:
            count += _take(message, ends, writer)
        progress(count)


def _take(message: Message, ends: dict[int, int], writer: Writer) -> bool:
    """Take a message; False if it is no record before the end. The last offsets may be transaction marks."""
    partition, offset, error = message.partition(), message.offset(), message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    end = ends.get(partition)
    if end is None:
        return False
    if error is not None:
        if offset >= end:
            del ends[partition]
        return False
    if offset >= end - 1:
        del ends[partition]
    if offset >= end:
        return False
    writer.add(partition, _record(message))
    return True


def _record(message: Message) -> Record:
    kind, timestamp = message.timestamp()
    return Record(
        message.offset(),
        None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


_READING = {
    "group.id": "win-event-export",  # the client requires one; with assign() it is never used
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "fetch.queue.backoff.ms": 5,
    "queued.max.messages.kbytes": 32 * 1024,
}
