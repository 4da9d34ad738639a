"""A topic exported and imported into another: the audit finds the copy complete."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from running import BIN, RunningStack, run

from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

pytestmark = pytest.mark.integration


def produce(broker: RunningStack, topic: str, records: Iterator[dict[str, Any]]) -> None:
    client = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
    for record in records:
        client.produce(topic, **record)
    assert client.flush(60) == 0


def stack_command(broker: RunningStack, *words: str | Path) -> Any:
    return run(BIN / "win-event-stack", *words, env=broker.environment, timeout=120)


def everything(broker: RunningStack, topic: str) -> dict[int, list[tuple[Any, ...]]]:
    """Partition → its (timestamp, key, value, headers), in order."""
    login = kafka_objects.connection(broker.stack, SUPER_USER).client_settings()
    reader = Consumer({**login, "group.id": "test", "enable.auto.commit": False})
    found: dict[int, list[tuple[Any, ...]]] = {}
    for number in reader.list_topics(topic, timeout=60).topics[topic].partitions:
        low, high = reader.get_watermark_offsets(TopicPartition(topic, number), timeout=60)
        reader.assign([TopicPartition(topic, number, low)])
        records = found.setdefault(number, [])
        while len(records) < high - low:
            message = reader.poll(60)
            assert message is not None
            assert message.error() is None
            records.append((message.timestamp(), message.key(), message.value(), message.headers()))
    reader.close()
    return found


def test_a_copy_is_complete_and_keeps_all_of_a_record(
    broker: RunningStack, topics: tuple[str, str], tmp_path: Path
) -> None:
    topic, copy, backup = topics[0], f"{topics[0]}_copy", tmp_path / "backup"
    settings = GeneratorSettings(seed=9, hosts=6)
    events = [event.line[:-1] for event in islice(generate(settings), 2_000)]
    now = int(time.time() * 1000)
    headers = [("level", b"Error"), ("level", b"\xff"), ("none", None)]
    produce(
        broker,
        topic,
        (
            {"value": line, "key": json.loads(line)["computer"], "headers": headers, "timestamp": now + n}
            for n, line in enumerate(events)
        ),
    )
    exported = stack_command(broker, "export", topic, backup)
    assert exported.returncode == 0, exported.stderr
    assert f"{topic}: 2,000 records of 3 partitions in {backup}" in exported.stderr
    imported = stack_command(broker, "import", copy, backup)
    assert imported.returncode == 0, imported.stderr
    assert f"{copy} (made): 2,000 records of {topic} written" in imported.stderr
    assert everything(broker, copy) == everything(broker, topic)
    audit = ("--seed", "9", "--count", "2000", "--hosts", "6", "--complete", "--exactly-once")
    report = broker.verify(copy, *audit, user=SUPER_USER)
    assert (report["ok"], report["records"], report["lost"]) == (True, 2_000, 0)
    again = stack_command(broker, "import", copy, backup)
    assert again.returncode == 1
    assert f"topic {copy} is not empty" in again.stderr


def test_an_import_that_was_interrupted_goes_on(
    broker: RunningStack, topics: tuple[str, str], tmp_path: Path
) -> None:
    copy, topic, backup = *topics, tmp_path / "backup"
    records = [
        {"value": value, "key": key, "partition": 0, "timestamp": int(time.time() * 1000)}
        for value, key in ((b"a", b"k"), (None, b"k"), (b"\xff\x00", None), (b"d", b"\xfe"))
    ]
    produce(broker, topic, iter(records))
    assert stack_command(broker, "export", topic, backup).returncode == 0
    # What an import that was killed leaves: the first records of a partition.
    produce(broker, copy, iter(records[:2]))
    assert "is not empty" in stack_command(broker, "import", copy, backup).stderr
    resumed = stack_command(broker, "import", copy, backup, "--resume")
    assert f"2 records of {topic} written, 2 were there" in resumed.stderr
    assert everything(broker, copy)[0] == everything(broker, topic)[0]
    assert "warning" not in resumed.stderr
    produce(broker, copy, iter(records[:1]))
    other = stack_command(broker, "import", copy, backup, "--resume")
    assert "does not hold the first records of" in other.stderr


def test_records_that_kafka_will_remove_are_told(
    broker: RunningStack, topics: tuple[str, str], tmp_path: Path
) -> None:
    produce(broker, topics[0], iter([{"value": b"of 2001", "timestamp": 10**12}, {"value": b"of today"}]))
    assert stack_command(broker, "export", topics[0], tmp_path / "backup").returncode == 0
    imported = stack_command(broker, "import", f"{topics[0]}_copy", tmp_path / "backup")
    assert "1 of them are older than the topic's retention.ms" in " ".join(imported.stderr.split())


def test_what_cannot_be_is_said(broker: RunningStack, topics: tuple[str, str], tmp_path: Path) -> None:
    for words, text in (
        (("export", "no-such-topic", tmp_path / "a"), "topic no-such-topic: "),
        (("import", topics[0], tmp_path / "nothing"), "is not a backup"),
    ):
        result = stack_command(broker, *words)
        assert result.returncode == 1
        assert text in result.stderr
        assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
