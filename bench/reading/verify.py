"""Records per second and peak memory of win-event-verify, over a file and over a topic."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from confluent_kafka import Producer

from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import BIN, run
from bench.reading import lines
from bench.reading.events import SETTINGS, events
from local_stack.broker import kafka_objects
from producer.log.ledger import BlockBuilder, LedgerHeader

_ITSELF = "compared with itself"
_NOTE = "The start of the process is included."
_SENDING = {"linger.ms": 20, "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000}


def file_sections(quick: bool) -> list[Section]:
    """A file of the producer's events."""
    count = 200_000 if quick else 1_000_000
    seed = ("--seed", str(SETTINGS.seed), "--count", str(count), "--hosts", str(SETTINGS.hosts))
    cases = [Case(_ITSELF, partial(_file, count, ()))]
    if not quick:
        cases.append(Case("compared with the seed", partial(_file, count, seed)))
    return [Section("verify", "win-event-verify over a file", "records/s", cases, _ITSELF, _NOTE)]


def topic_sections(quick: bool, cluster: Cluster) -> list[Section]:
    """A topic of events of 330 bytes, with the ledger that a producer would have written."""
    filled = _FilledTopic(cluster, 300_000 if quick else 3_000_000)
    cases = [
        Case(_ITSELF, partial(filled.audit, False)),
        Case("compared with the ledger", partial(filled.audit, True)),
    ]
    title = "win-event-verify over a topic"
    return [Section("verify a topic", title, "records/s", cases, _ITSELF, _NOTE)]


def _file(count: int, judge: tuple[str, ...]) -> Sample:
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        file.write(events(count))
        file.flush()
        return _audit(count, ("--file", file.name, *judge))


def _audit(count: int, options: tuple[str, ...], env: Mapping[str, str] | None = None) -> Sample:
    done = run([str(BIN / "win-event-verify"), "--json", *options], env=env)
    report = json.loads(done.stdout)
    if (report["records"], report["distinct"], report["ok"]) != (count, count, True):
        raise RuntimeError(f"the audit finds something wrong: {report}")
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


class _FilledTopic:
    """A topic that is filled when first needed; every case reads the same records."""

    def __init__(self, cluster: Cluster, count: int) -> None:
        self._cluster, self._count = cluster, count
        self._topic = ""
        self._folder = tempfile.TemporaryDirectory(prefix="win-event-ledger-")
        self._ledger = Path(self._folder.name) / "ledger.ndjson"

    def audit(self, with_ledger: bool) -> Sample:
        if not self._topic:
            self._topic, _ = self._cluster.topics()
            self._fill()
        options = ("--ledger", str(self._ledger)) if with_ledger else ()
        environment = os.environ | self._cluster.running.shell("reader")
        return _audit(self._count, ("--topic", self._topic, *options), environment)

    def _fill(self) -> None:
        client = Producer(
            kafka_objects.connection(self._cluster.running.stack, "bridge").client_settings() | _SENDING
        )
        builders: dict[bytes, BlockBuilder] = {}
        with self._ledger.open("wb") as file:
            file.write(LedgerHeader("bench", 0, "flat").encode())
            for computer, block in lines.blocks(self._count):
                builder = builders.setdefault(computer, BlockBuilder(computer.decode(), "Security"))
                for line in block.splitlines():
                    while len(client) > 500_000:
                        client.poll(0.1)
                    client.produce(self._topic, value=line, key=computer)
                    record_id = int(line.split(b'"record_id":', 1)[1].split(b",", 1)[0])
                    if done := builder.add(record_id, line, 0.0):
                        file.write(done.encode())
            file.writelines(done.encode() for builder in builders.values() if (done := builder.flush()))
        if unsent := client.flush(60):
            raise RuntimeError(f"{unsent} records could not be written")
